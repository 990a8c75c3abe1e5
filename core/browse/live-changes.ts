import { VIRTUAL_FOLDERS } from '../databases/virtual-paths.ts';
import { type ExcludeMatcher, excludeAny } from '../exclude/exclude-matcher.ts';
import { letGo, openHandleAt, readLinkAt } from '../linux/files.ts';
import type { StatBuffer } from '../linux/stat.ts';
import { readXattrs } from '../linux/xattrs.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { endOfTree, mergedEntries } from '../manifest/merge/merged-entries.ts';
import { MergedTree } from '../manifest/merge/merged-tree.ts';
import { comparePaths, isWithin } from '../manifest/path-order.ts';
import type { ManifestReader } from '../manifest/read/manifest-reader.ts';
import type { PanelUnit } from '../panel/unit.ts';
import type { HeldDirectory } from '../scan/compare/held-directory.ts';
import type { WalkListener } from '../scan/compare/tree-comparison.ts';
import { Walker } from '../scan/compare/walker.ts';
import { mountedPaths } from '../scan/walk/mounted-paths.ts';
import type { Change } from '../schemas/reading.ts';
import { type Properties, propertyChanges } from './changes.ts';

/** What is found on the server: an entry of which the content was not read. */
export type LiveEntry = Properties & Pick<Entry, 'size'>;

/** Takes the differences in the order of paths; those after it says that it is full do not matter any more. */
export interface LiveOutput {
  readonly isFull: boolean;
  difference(path: ByteString, before: Entry | undefined, after: LiveEntry | undefined, changes: readonly Change[]): void;
  problem(path: ByteString, code: string, message: string): void;
}

export interface LiveComparison {
  /** The manifests of the point in time, the oldest first. */
  readonly layers: readonly ManifestReader[];
  readonly unit: PanelUnit;
  /** What the backup excludes. */
  readonly exclude: ExcludeMatcher;
  /** Whether the backup goes into subvolumes. */
  readonly includeSubvolumes: boolean;
  /** Only this path and what lies below it; empty for everything. */
  readonly scope: ByteString;
  /** Only what follows this path. */
  readonly behind: ByteString | undefined;
}

/** Walks the unit as it is on the server now beside a point in time. Opens no file for its content. */
export function compareWithLive(comparison: LiveComparison, output: LiveOutput): Walker {
  const { layers, unit, scope, behind } = comparison;
  const previous = new MergedTree(layers);
  const exclude = excludeAny([comparison.exclude, excludeBeside(scope, behind)]);
  const listener = new LiveListener(comparison, previous, output);
  const { includeSubvolumes } = comparison;
  const mounts = mountedPaths(unit.roots);
  return new Walker({ roots: unit.roots, previous, exclude, elsewhere: VIRTUAL_FOLDERS, mounts, includeSubvolumes }, listener);
}

/** The component of `path` that follows `directory`; undefined when it does not lie below it. */
function nextName(path: ByteString, directory: ByteString): ByteString | undefined {
  if (path === directory || !isWithin(path, directory)) return undefined;
  return path.slice(directory === '' ? 0 : directory.length + 1).split('/', 1)[0];
}

/** Keeps the walk from entering what is not in the scope, or was on an earlier page. */
function excludeBeside(scope: ByteString, behind: ByteString | undefined): ExcludeMatcher {
  return {
    inDirectory(path) {
      const only = nextName(scope, path);
      const first = behind === undefined ? undefined : nextName(behind, path);
      if (only === undefined && first === undefined) return undefined;
      return (name) => (only !== undefined && name !== only) || (first !== undefined && name < first);
    },
  };
}

class LiveListener implements WalkListener {
  readonly #comparison: LiveComparison;
  readonly #previous: MergedTree;
  readonly #output: LiveOutput;

  constructor(comparison: LiveComparison, previous: MergedTree, output: LiveOutput) {
    this.#comparison = comparison;
    this.#previous = previous;
    this.#output = output;
  }

  changed(directory: HeldDirectory, name: ByteString, path: ByteString, stat: StatBuffer, known: boolean): void {
    if (this.#output.isFull) return;
    const before = known && !this.#previous.currentIsContext ? this.#previous.entry() : undefined;
    if (this.#isWanted(path)) this.#report(directory, name, path, stat, before);
    if (before?.kind === 'directory' && !stat.isDirectory) this.#removed(path, false);
  }

  /** Nobody knows whether it has changed. */
  kept(): void {}

  unseen(): void {}

  deleted(path: ByteString): void {
    this.#removed(path, true);
  }

  problem(path: ByteString, code: string, message: string): void {
    if (!this.#output.isFull && this.#isWanted(path)) this.#output.problem(path, code, message);
  }

  #isWanted(path: ByteString): boolean {
    const { scope, behind } = this.#comparison;
    return isWithin(path, scope) && (behind === undefined || comparePaths(path, behind) > 0);
  }

  /** Everything that the point in time has below `path`, and `path` itself unless it is told otherwise. */
  #removed(path: ByteString, itself: boolean): void {
    const { layers, scope, behind } = this.#comparison;
    // What the walk was kept from entering counts as deleted for it.
    const top = isWithin(scope, path) ? scope : path;
    if (!isWithin(top, scope)) return;
    if (behind !== undefined && comparePaths(endOfTree(top), behind) <= 0) return;
    const from = behind !== undefined && comparePaths(behind, top) > 0 ? behind : top;
    for (const { entry } of mergedEntries(layers, from, endOfTree(top))) {
      if (this.#output.isFull) return;
      if (this.#isWanted(entry.path) && (itself || entry.path !== path)) this.#output.difference(entry.path, entry, undefined, []);
    }
  }

  #report(directory: HeldDirectory, name: ByteString, path: ByteString, stat: StatBuffer, before: Entry | undefined): void {
    let after: LiveEntry;
    try {
      after = readLive(directory, name, stat);
    } catch (error) {
      this.#output.problem(path, 'unreadable', (error as Error).message);
      return;
    }
    const changes = before === undefined ? [] : liveChanges(before, after, stat);
    if (before === undefined || changes.length > 0) this.#output.difference(path, before, after, changes);
  }
}

function readLive(directory: HeldDirectory, name: ByteString, stat: StatBuffer): LiveEntry {
  const { kind, mode, uid, gid, mtime, linkCount } = stat;
  const handle = openHandleAt(directory.descriptor, name);
  try {
    return {
      ...{ kind, mode, uid, gid, mtime, linkCount, xattrs: readXattrs(handle) },
      size: kind === 'file' || kind === 'symlink' ? stat.size : 0,
      ...(kind === 'symlink' ? { linkTarget: readLinkAt(handle, '') } : {}),
      ...(kind === 'character-device' || kind === 'block-device' ? { deviceNumber: stat.deviceNumber } : {}),
    };
  } finally {
    letGo(handle);
  }
}

/** A change time that nothing else explains means that content may have been written and the time of writing set back. */
function liveChanges(before: Entry, after: LiveEntry, stat: StatBuffer): Change[] {
  const changes = propertyChanges(before, after);
  if (before.kind !== 'file' || after.kind !== 'file') return changes;
  const isAnother = before.size !== after.size || before.inode !== stat.inode || before.device !== stat.device;
  const isUnexplained = before.ctime !== stat.ctime && changes.length === 0;
  return isAnother || isUnexplained || changes.includes('mtime') ? ['content', ...changes] : changes;
}
