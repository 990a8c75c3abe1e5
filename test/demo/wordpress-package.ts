import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

const PACKAGE = 'wordpress';
const APPLICATION = 'usr/share/wordpress';
const CONTENT = 'var/lib/wordpress/wp-content';

/**
 * WordPress' files as the distribution ships them, unpacked below `folder` and kept there for the next time. The package itself
 * and what it depends on are not installed.
 */
export async function unpackWordPress(folder: string): Promise<string> {
  const application = join(folder, PACKAGE);
  if (existsSync(application)) return application;
  mkdirSync(folder, { recursive: true });
  const unpacked = join(folder, 'unpacked');
  rmSync(unpacked, { recursive: true, force: true });
  if ((await download(folder)).exitCode !== 0) {
    // A machine on which nobody ever asked for packages has no lists of them.
    await execa('apt-get', ['update']);
    const again = await download(folder);
    if (again.exitCode !== 0) throw new Error(`apt-get cannot fetch the package ${PACKAGE}:\n${again.stderr}`);
  }
  const archive = readdirSync(folder).find((name) => name.startsWith(PACKAGE) && name.endsWith('.deb'))!;
  await execa('dpkg', ['-x', join(folder, archive), unpacked]);
  cpSync(join(unpacked, CONTENT), join(unpacked, APPLICATION, 'wp-content'), { recursive: true, verbatimSymlinks: true });
  renameSync(join(unpacked, APPLICATION), application);
  rmSync(unpacked, { recursive: true });
  return application;
}

function download(folder: string) {
  return execa('apt-get', ['download', PACKAGE], { cwd: folder, reject: false });
}
