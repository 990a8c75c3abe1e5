import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The lengths of all files below a folder added up; 0 when there is none. */
export function storedBytes(path: string): number {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return 0;
  if (!status.isDirectory()) return status.isFile() ? status.size : 0;
  let sum = 0;
  for (const name of readdirSync(path)) sum += storedBytes(join(path, name));
  return sum;
}
