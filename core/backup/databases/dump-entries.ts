import type { ByteString, Content, Entry, ManifestRow } from '../../manifest/entry.ts';
import { EntryFlags } from '../../manifest/entry.ts';
import { comparePaths } from '../../manifest/path-order.ts';

/** What a dump or one of the folders around it is made of: nobody's but root's, on no device. */
const NO_INODE = { uid: 0, gid: 0, device: 0n, inode: 0n, linkCount: 1, xattrs: [], inodeFlags: 0 } as const;

const NANOSECONDS_IN_A_MILLISECOND = 1_000_000n;

function timesAt(moment: Date): { readonly mtime: bigint; readonly ctime: bigint } {
  const time = BigInt(moment.getTime()) * NANOSECONDS_IN_A_MILLISECOND;
  return { mtime: time, ctime: time };
}

/** The file that a dump is. */
export function dumpEntry(path: ByteString, size: number, content: Content, moment: Date): Entry {
  const hasContent = size > 0 ? { content } : {};
  return { ...NO_INODE, path, kind: 'file', mode: 0o600, size, ...timesAt(moment), flags: 0, ...hasContent };
}

/** A folder of dumps; `isAllSeen`: all that belongs into it was dumped. */
export function folderEntry(path: ByteString, isAllSeen: boolean, moment: Date): Entry {
  return { ...NO_INODE, path, kind: 'directory', mode: 0o700, size: 0, ...timesAt(moment), flags: isAllSeen ? 0 : EntryFlags.notAllSeen };
}

/** What a run found below the folder of the databases, and what stays as it was. */
export interface DumpState {
  /** What there is now, files and folders. */
  readonly present: readonly Entry[];
  /** Paths of which the run could not tell: what was there stays. */
  readonly kept: ReadonlySet<ByteString>;
}

/** The rows that lead from the state before to that of now, in their order: what is the same has none. */
export function dumpRows(before: readonly Entry[], { present, kept }: DumpState): ManifestRow[] {
  const known = new Map(before.map((entry) => [entry.path, entry]));
  const now = new Set(present.map(({ path }) => path));
  const gone = before.filter(({ path }) => !now.has(path) && !kept.has(path)).map(({ path }): ManifestRow => ({ path, kind: 'tombstone' }));
  const changed = present.filter((entry) => !isSame(entry, known.get(entry.path)));
  return [...changed, ...gone].sort((a, b) => comparePaths(a.path, b.path));
}

function isSame(now: Entry, before: Entry | undefined): boolean {
  if (before === undefined || before.kind !== now.kind || before.flags !== now.flags || before.size !== now.size) return false;
  if (now.content === undefined || before.content === undefined) return now.content === before.content;
  return now.content.digest.equals(before.content.digest);
}
