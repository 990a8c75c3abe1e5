import { readFileSync } from 'node:fs';
import { Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { StatBuffer } from './stat.ts';

/** One line of /proc/self/mountinfo (proc(5)). */
export interface Mount {
  /** Major and minor number of the file system, `8:1`. */
  readonly device: string;
  /** Which folder of the file system is mounted, `/` for all of it. */
  readonly root: ByteString;
  readonly mountPoint: ByteString;
  readonly fileSystem: string;
  /** Options of the file system, as name and value; a name can come several times. */
  readonly options: readonly (readonly [name: string, value: ByteString])[];
}

/**
 * The number of the mount that an open descriptor was reached through: two of one file system differ in it, and nothing can be renamed
 * from one to the other. Asks `stat`, what the descriptor was statted as, if that is at hand; else, and on kernels that do not tell
 * it there, /proc. Throws `unsupported` when nobody says.
 */
export function mountOf(descriptor: number, stat?: StatBuffer): number {
  const mountId = stat?.mountId;
  if (mountId !== undefined) return mountId;
  const told = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
  if (told === undefined) throw new Failure('unsupported', 'this kernel does not say what is a mount');
  return Number(told);
}

/** The mounts that this process sees, in the order they were made. */
export function readMounts(): Mount[] {
  const mounts: Mount[] = [];
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
    const fields = line.split(' ');
    const mountPoint = fields[4];
    if (mountPoint === undefined) continue;
    const separator = fields.indexOf('-', 6);
    const options = (fields[separator + 3] ?? '').split(',').map((option) => {
      const [name = '', ...value] = option.split('=');
      return [decodeEscapes(name), decodeEscapes(value.join('='))] as const;
    });
    const [device, root] = [fields[2] ?? '', decodeEscapes(fields[3] ?? '')];
    mounts.push({ device, root, mountPoint: decodeEscapes(mountPoint), fileSystem: fields[separator + 1] ?? '', options });
  }
  return mounts;
}

/** Blanks, tabs, newlines and backslashes stand as octal escapes in mountinfo. */
function decodeEscapes(text: ByteString): ByteString {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
