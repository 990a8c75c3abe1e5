import type { FileEntryWithStats, Stats } from 'ssh2';
import { Failure } from '../../../failure.ts';

/**
 * Whether a server answered what it was asked: the library hands on whatever packet has the number of the request, also an empty success where there should be
 * a handle, names or attributes.
 */
export function isHandle(answer: unknown): answer is Buffer {
  return Buffer.isBuffer(answer);
}

export function isStats(answer: unknown): answer is Stats {
  const { isFile, isDirectory, size, mtime } = (answer ?? {}) as Partial<Stats>;
  // What has no length is no regular file, and what has no time is as old as can be.
  const isNumber = (value: unknown): boolean => value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0);
  if (typeof isFile !== 'function' || typeof isDirectory !== 'function' || !isNumber(size) || !isNumber(mtime)) return false;
  return !(answer as Stats).isFile() || (size !== undefined && mtime !== undefined);
}

export function isEntries(answer: unknown): answer is FileEntryWithStats[] {
  return (
    Array.isArray(answer) &&
    answer.every((entry: Partial<FileEntryWithStats> | undefined) => typeof entry?.filename === 'string' && isStats(entry.attrs))
  );
}

/** What a server's disk has. */
export interface DiskSpace {
  readonly f_bavail: number;
  readonly f_blocks: number;
  readonly f_frsize: number;
}

export function isSpace(answer: unknown): answer is DiskSpace {
  const { f_bavail, f_blocks, f_frsize } = (answer ?? {}) as Partial<DiskSpace>;
  return [f_bavail, f_blocks, f_frsize].every((value) => Number.isFinite(value));
}

export function strangeAnswer(what: string): Failure {
  return new Failure('repository_unreachable', `${what}: the server answered something else than what was asked`, {
    affected: [what],
    advice: 'See that the server speaks SFTP, version 3.',
    retry: true,
  });
}
