import type { ByteString } from './entry.ts';

/** Whether a directory can hold this name. */
export function isName(name: ByteString): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

/** Whether a path is such names joined by `/`. */
export function isPath(path: ByteString): boolean {
  return path.split('/').every(isName);
}
