import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';

/** Mounts a new ext4 file system of `megabytes` at `place`; its image lies beside it. `removeTree` of the folder around both undoes it. */
export async function mountLoopFileSystem(place: string, megabytes: number): Promise<void> {
  const image = `${place}.image`;
  mkdirSync(place, { recursive: true });
  writeFileSync(image, '');
  truncateSync(image, megabytes * 1024 * 1024);
  await execa('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
  await execa('mount', ['-o', 'loop', image, place]);
}
