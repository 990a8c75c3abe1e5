import { readFileSync } from 'node:fs';
import type { ByteString } from '../manifest/entry.ts';

/** One line of /proc/self/mountinfo (proc(5)). */
export interface Mount {
  readonly mountPoint: ByteString;
  readonly fileSystem: string;
}

/** The mounts that this process sees, in the order they were made. */
export function readMounts(): Mount[] {
  const mounts: Mount[] = [];
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
    const fields = line.split(' ');
    const mountPoint = fields[4];
    if (mountPoint === undefined) continue;
    const separator = fields.indexOf('-', 6);
    mounts.push({ mountPoint: decodeEscapes(mountPoint), fileSystem: fields[separator + 1] ?? '' });
  }
  return mounts;
}

/**
 * The mount that an open descriptor was reached through: two of one file system differ in it, and nothing can be renamed from one
 * to the other. Every kernel tells.
 */
export function mountOf(descriptor: number): string {
  return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1] ?? '';
}

/** Blanks, tabs, newlines and backslashes stand as octal escapes in mountinfo. */
function decodeEscapes(text: ByteString): ByteString {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
