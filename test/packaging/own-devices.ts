import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';

const MINORS = { null: 3, zero: 5, full: 7, random: 8, urandom: 9 };

/**
 * Mounts a folder as /dev, with devices of its own, into a root that a test made; `folder` is where /dev stands then. The kernel's devtmpfs
 * is one for all: whoever cleared away what a killed test left would remove the devices of this machine.
 */
export function mountOwnDevices(folder: string): void {
  mkdirSync(folder, { recursive: true });
  execaSync('mount', ['-t', 'tmpfs', 'devices', folder]);
  for (const [name, minor] of Object.entries(MINORS)) execaSync('mknod', ['-m', '666', join(folder, name), 'c', '1', String(minor)]);
  symlinkSync('/proc/self/fd', join(folder, 'fd'));
  mkdirSync(join(folder, 'shm'));
}
