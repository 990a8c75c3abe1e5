import { O_CLOEXEC } from './flags.ts';
import { libc } from './libc.ts';
import { check } from './system-error.ts';

/** The two ends of a pipe. Whoever has made it closes both. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** Makes a pipe whose ends no program inherits unless it is given them. Reading and writing wait. */
export function makePipe(): Pipe {
  const ends = new Int32Array(2);
  check(libc.pipe2(ends, O_CLOEXEC), 'pipe2');
  return { read: ends[0] as number, write: ends[1] as number };
}
