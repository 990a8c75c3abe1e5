import { fstatSync } from 'node:fs';

function keyOf(descriptor: number): string {
  const { dev, ino } = fstatSync(descriptor);
  return `${dev} ${ino}`;
}

const synced = new Set<string>();

/** Files that have no name yet, by what was synced of them. */
export const unnamedFiles = {
  written: (descriptor: number): void => void synced.delete(keyOf(descriptor)),
  synced: (descriptor: number): void => void synced.add(keyOf(descriptor)),
  /** Whether all that was written was synced since. */
  isSynced: (descriptor: number): boolean => synced.has(keyOf(descriptor)),
};
