import type { ByteString } from '../manifest/entry.ts';
import { libc, stringList } from './libc.ts';
import { check } from './system-error.ts';

const F_SETFD = 2;
const STANDARD_STREAMS = [0, 1, 2];

/**
 * Goes on as another program, in the same process, with exactly these bytes. Node's own call takes texts, in which a name that is not UTF-8
 * becomes another one. Returns only by throwing a `SystemError`.
 */
export function replaceProcess(program: ByteString, args: readonly ByteString[], environment: readonly ByteString[]): never {
  const file = Buffer.from(`${program}\0`, 'latin1');
  const [argumentList, environmentList] = [stringList(args), stringList(environment)];
  // Node lets nothing else inherit them.
  for (const descriptor of STANDARD_STREAMS) libc.fcntl(descriptor, F_SETFD, 0);
  check(libc.execve(file, argumentList, environmentList), 'execve', program);
  throw new Error('execve returned');
}
