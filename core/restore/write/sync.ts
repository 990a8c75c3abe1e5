import { fsyncSync } from 'node:fs';
import { Failure } from '../../failure.ts';
import { closeDescriptor, openAt, syncFileSystem } from '../../linux/files.ts';
import { O_NONBLOCK, O_RDONLY } from '../../linux/flags.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { parentPath } from '../../manifest/paths.ts';
import { FileColumn, type Plan, placeAt } from '../plan/plan.ts';
import type { SnapshotView } from '../plan/snapshot-view.ts';
import { problemOf, type Report } from '../rules.ts';
import type { Target, TargetRoot } from '../target/target.ts';

/** Up to so many entries are waited for one by one: what else the server has to write can take long. */
const FEW_ENTRIES = 64;

const stat = new StatBuffer();

/** What a restore wrote, and where. */
interface Restored {
  readonly plan: Plan;
  /** Whether it deleted, too. */
  readonly deletion: boolean;
  readonly roots: readonly TargetRoot[];
  readonly target: Target;
  readonly view: SnapshotView;
}

/**
 * Waits until what a plan wrote is on disk: the file systems of all roots and, where entries may lie on others mounted below, of all
 * directories; or of a small restore its own entries only. What is done is done: a disk that refuses is a problem of the result,
 * and an entry that cannot be waited for by itself (a tenant holds a lease on it, or put a FIFO in its place) is waited
 * for with its file system.
 */
export function syncRestored({ plan, deletion, roots, target, view }: Restored, report: Report): void {
  const isSmall = !deletion && plan.entries <= FEW_ENTRIES;
  if (isSmall && syncEntries(plan, target, view)) return;
  for (const { descriptor } of roots) reporting(report, () => syncFileSystem(descriptor));
  if (roots.some(({ crossMounts }) => crossMounts)) reporting(report, () => syncMountedBelow(plan, roots, target, view));
}

/** Whether each entry could be waited for. */
function syncEntries(plan: Plan, target: Target, view: SnapshotView): boolean {
  const parents = new Set<ByteString>();
  try {
    for (const path of writtenPaths(plan, view)) {
      tolerateMissing(() => syncEntry(target, path));
      parents.add(parentPath(path));
    }
    for (const path of parents) tolerateMissing(() => fsyncSync(target.directory(path)));
    return true;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}

function reporting(report: Report, action: () => void): void {
  try {
    action();
  } catch (error) {
    const { code, message } = problemOf('', error);
    if (code === 'internal') throw error;
    report({ code, message: `it is not known whether everything that was restored is on the disk: ${message}`, path: '' });
  }
}

function syncMountedBelow({ directories }: Plan, roots: readonly TargetRoot[], target: Target, view: SnapshotView): void {
  const deviceOf = (descriptor: number): bigint => {
    statDescriptor(descriptor, stat);
    return stat.device;
  };
  const synced = new Set(roots.map(({ descriptor }) => deviceOf(descriptor)));
  for (let row = 0; row < directories.length; row++) {
    tolerateMissing(() => {
      const descriptor = target.directory(view.entryAt(placeAt(directories, row)).path);
      const device = deviceOf(descriptor);
      if (!synced.has(device)) syncFileSystem(descriptor);
      synced.add(device);
    });
  }
}

function* writtenPaths(plan: Plan, view: SnapshotView): Generator<ByteString> {
  yield* plan.plainParents;
  for (const table of [plan.directories, plan.singles, plan.large]) {
    for (let row = 0; row < table.length; row++) yield view.entryAt(placeAt(table, row)).path;
  }
  for (let row = 0; row < plan.links.length; row++) yield view.entryAt(placeAt(plan.links, row, 1)).path;
  for (const { files } of plan.packs) {
    for (let row = 0; row < files.length; row++) {
      const [layer, block] = [files.get(row, FileColumn.layer), files.get(row, FileColumn.block)];
      yield view.entryAt({ layer, block, row: files.get(row, FileColumn.row) }).path;
    }
  }
}

/** Links and special files are in their directory and have nothing else to wait for. */
function syncEntry(target: Target, path: ByteString): void {
  const { directory, name } = target.place(path);
  if (name === '' || !statAt(directory, name, stat) || !(stat.isFile || stat.isDirectory)) return;
  const descriptor = openAt(directory, name, O_RDONLY | O_NONBLOCK);
  try {
    fsyncSync(descriptor);
  } finally {
    closeDescriptor(descriptor);
  }
}

/** What was not restored was reported; what a tenant has changed since is the tenant's. */
function tolerateMissing(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ELOOP' && !(error instanceof Failure)) throw error;
  }
}
