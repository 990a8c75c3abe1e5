import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { execa } from 'execa';

/** WordPress, a theme to show pages with, and the libraries that Debian's package has links to. */
const PACKAGES = ['wordpress', 'wordpress-theme-twentytwentythree', 'php-getid3', 'libjs-underscore', 'libjs-cropper'];
const APPLICATION = 'usr/share/wordpress';
const CONTENT = 'var/lib/wordpress/wp-content';

/**
 * WordPress' files as the distribution ships them, ready to run, unpacked below `folder` and kept there for the next time. The
 * packages are not installed.
 */
export async function unpackWordPress(folder: string): Promise<string> {
  const application = join(folder, 'complete-wordpress');
  if (existsSync(application)) return application;
  const [archives, unpacked] = [join(folder, 'archives'), join(folder, 'unpacked')];
  for (const made of [archives, unpacked]) {
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });
  }
  if ((await download(archives)).exitCode !== 0) {
    // A machine on which nobody ever asked for packages has no lists of them.
    await execa('apt-get', ['update']);
    const again = await download(archives);
    if (again.exitCode !== 0) throw new Error(`apt-get cannot fetch the packages ${PACKAGES.join(', ')}:\n${again.stderr}`);
  }
  for (const archive of readdirSync(archives)) await execa('dpkg', ['-x', join(archives, archive), unpacked]);
  const files = join(unpacked, APPLICATION);
  // Its links lead to what is in the application's own folder.
  const filter = (source: string) => !lstatSync(source).isSymbolicLink();
  cpSync(join(unpacked, CONTENT), join(files, 'wp-content'), { recursive: true, filter });
  takeLibrariesIn(files);
  renameSync(files, application);
  rmSync(unpacked, { recursive: true });
  return application;
}

/** Puts copies in the place of links into other packages. Absolute ones lead to what the system configures, and stay. */
function takeLibrariesIn(files: string): void {
  for (const name of readdirSync(files, { recursive: true, encoding: 'utf8' })) {
    const link = join(files, name);
    if (!lstatSync(link).isSymbolicLink() || isAbsolute(readlinkSync(link))) continue;
    const library = realpathSync(link);
    rmSync(link);
    cpSync(library, link, { recursive: true });
  }
}

function download(folder: string) {
  return execa('apt-get', ['download', ...PACKAGES], { cwd: folder, reject: false });
}
