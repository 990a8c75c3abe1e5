import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';

/**
 * Mounts a new ext4 file system of `megabytes`, made with these options, at `place`; its image lies beside it. `removeTree` of the folder
 * around both undoes it.
 */
export async function mountLoopFileSystem(place: string, megabytes: number, options: readonly string[] = []): Promise<void> {
  const image = `${place}.image`;
  mkdirSync(place, { recursive: true });
  writeFileSync(image, '');
  truncateSync(image, megabytes * 1024 * 1024);
  await execa('mkfs.ext4', ['-q', '-F', '-m', '0', ...options, image]);
  await execa('mount', ['-o', 'loop', image, place]);
}
