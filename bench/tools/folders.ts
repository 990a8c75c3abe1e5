import { mkdirSync, rmSync } from 'node:fs';

/** Makes a folder new and empty. */
export function emptyFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}
