import type { ByteString } from './entry.ts';

/** Whether a path is components joined by `/`, each of them a name that a directory can hold. */
export function isPath(path: ByteString): boolean {
  if (path.includes('\0')) return false;
  return path.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
}
