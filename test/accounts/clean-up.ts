import { existsSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { execa } from 'execa';

/** The places where something is mounted at or below `folder`, the innermost first. */
function mountsBelow(folder: string): string[] {
  const places = readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((place) => place.replaceAll('\\040', ' '));
  return places.filter((place) => place === folder || place.startsWith(folder + sep)).reverse();
}

/** Unmounts everything that is mounted at or below `folder`; what is in use disappears when it no longer is. */
export async function unmountBelow(folder: string): Promise<void> {
  for (const place of mountsBelow(folder)) await execa('umount', ['--lazy', place]);
}

/** Removes a folder with everything that tests put there: mounts, immutable files, directories thousands deep. */
export async function removeTree(folder: string): Promise<void> {
  await unmountBelow(folder);
  if (!existsSync(folder)) return;
  await execa('/usr/bin/python3', [join(import.meta.dirname, 'remove-flags.py'), folder]);
  await execa('rm', ['-rf', '--one-file-system', folder]);
}
