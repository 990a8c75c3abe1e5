import type { ByteString } from './entry.ts';

const SLASH = 0x2f;

/**
 * The one order of paths: bytewise by component, so `/` sorts below every other byte and a directory's children follow it
 * at once. Negative when `a` comes first, 0 when equal.
 */
export function comparePaths(a: ByteString, b: ByteString): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (x === SLASH) return -1;
    if (y === SLASH) return 1;
    return x - y;
  }
  return a.length - b.length;
}

/** Whether `path` is `ancestor` itself or lies below it. The empty ancestor contains everything. */
export function isWithin(path: ByteString, ancestor: ByteString): boolean {
  if (ancestor === '') return true;
  return (path.length === ancestor.length || path.charCodeAt(ancestor.length) === SLASH) && path.startsWith(ancestor);
}
