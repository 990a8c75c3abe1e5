import { randomFillSync } from 'node:crypto';
import { threadId } from 'node:worker_threads';
import { Failure } from '../../failure.ts';
import type { ByteString } from '../../manifest/entry.ts';

const PREFIX = '.apiscp-backup-';
const HEX_DIGITS = 16;
const NAME_MAX = 255;

const RANDOM_BYTES = HEX_DIGITS / 2;
/** Drawn for many names at once: one by one it would cost as much as the system calls of a small file. */
const pool = Buffer.alloc(512 * RANDOM_BYTES);
let poolUsed = pool.length;

/** A name for a folder in which things are made. Nobody can guess it, so nobody can be there first. */
export function hiddenName(): ByteString {
  if (poolUsed === pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  const name = PREFIX + pool.toString('hex', poolUsed, poolUsed + RANDOM_BYTES);
  poolUsed += RANDOM_BYTES;
  return name;
}

let staged = 0;

/** A name for something that is not finished yet, in a staging folder that this process has to itself. */
export function stagedName(): ByteString {
  return `${threadId}-${staged++}`;
}

/** Whether `hiddenName` could have made this name. */
export function isHiddenName(name: ByteString): boolean {
  if (name.length !== PREFIX.length + HEX_DIGITS || !name.startsWith(PREFIX)) return false;
  for (let i = PREFIX.length; i < name.length; i++) {
    if (!'0123456789abcdef'.includes(name.charAt(i))) return false;
  }
  return true;
}

/** An empty component, `.`, `..`, or a NUL byte. */
const UNSAFE = /(?:^|\/)\.{0,2}(?:\/|$)|\0/;

/**
 * Throws `unsafe_path` for a virtual path that could lead elsewhere than below its root. The manifest reader checks the same; what
 * writes as root does not rely on that.
 */
export function checkPath(path: ByteString): void {
  // A short path has no long component: looking at each would cost more than the rest of planning an entry.
  const isLong = path.length > NAME_MAX && path.split('/').some((component) => component.length > NAME_MAX);
  if (isLong || UNSAFE.test(path)) {
    throw new Failure('unsafe_path', 'the path has a component that no entry can have', { affected: [path] });
  }
}

/** The components of a virtual path that passes `checkPath`. */
export function componentsOf(path: ByteString): ByteString[] {
  checkPath(path);
  return path.split('/');
}
