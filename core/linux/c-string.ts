import type { ByteString } from '../manifest/entry.ts';

// Long enough for a component (255) and a link target (4095); a longer argument gets its own buffer.
const SHARED_LENGTH = 4200;
const first = Buffer.alloc(SHARED_LENGTH);
const second = Buffer.alloc(SHARED_LENGTH);

function write(into: Buffer, text: ByteString): Buffer {
  const target = text.length < SHARED_LENGTH ? into : Buffer.alloc(text.length + 1);
  const length = target.latin1Write(text, 0);
  target[length] = 0;
  return target;
}

function reject(text: ByteString): void {
  if (text.includes('\0')) throw new RangeError('a name cannot hold a NUL byte');
}

/** A NUL-terminated copy in a shared buffer, valid until the next call of this function on this thread. */
export function cString(text: ByteString): Buffer {
  reject(text);
  return write(first, text);
}

/** The same for a call with two names: a buffer of its own beside `cString`'s. */
export function secondCString(text: ByteString): Buffer {
  reject(text);
  return write(second, text);
}
