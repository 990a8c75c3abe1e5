import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

/** The releases of ApisCP run 7.4 and then 8.3; Debian has 8.2. */
export const PHP_BUILDS = { '7.4': '@libphp/amazon-linux-2-v74', '8.3': '@libphp/amazon-linux-2-v83' } as const;
export type PhpBuild = keyof typeof PHP_BUILDS;

/** What the panel's PHP has and such a build loads as a file; of 7.4 JSON, too. */
const EXTENSIONS = ['soap.so', 'json.so'];

/**
 * Puts such a PHP into a folder as `php`, for the first place in PATH; every notice and deprecation is told on stderr. It is copied, because
 * the front end, which is nobody, may not reach the project. Libraries that the system lacks are taken from the package.
 */
export async function installPhp(version: PhpBuild, folder: string): Promise<void> {
  const native = join(dirname(createRequire(import.meta.url).resolve(`${PHP_BUILDS[version]}/package.json`)), 'native');
  const libraries = join(folder, 'lib');
  mkdirSync(libraries, { recursive: true });
  const program = join(folder, `php-${version}`);
  copyFileSync(join(native, 'php/php'), program);
  const extensions = EXTENSIONS.filter((name) => existsSync(join(native, 'php/modules', name)));
  for (const name of extensions) copyFileSync(join(native, 'php/modules', name), join(libraries, name));
  for (let found = 0, before = -1; found !== before; ) {
    const { stdout } = await execa('ldd', [program, ...extensions.map((name) => join(libraries, name))], {
      env: { LD_LIBRARY_PATH: libraries },
    });
    const missing = new Set([...stdout.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name as string));
    for (const name of missing) copyFileSync(join(native, 'lib', name), join(libraries, name));
    before = found;
    found += missing.size;
  }
  const ini = [
    `extension_dir=${libraries}`,
    ...extensions.map((name) => `extension=${name}`),
    'error_reporting=-1',
    'display_errors=stderr',
  ];
  writeFileSync(join(folder, 'php.ini'), `${ini.join('\n')}\n`);
  // Processes that PHP starts by PHP_BINARY get the same from the environment.
  const start = `#!/bin/sh\nLD_LIBRARY_PATH='${libraries}' PHPRC='${folder}/php.ini' PHP_INI_SCAN_DIR= exec '${program}' "$@"\n`;
  writeFileSync(join(folder, 'php'), start);
  for (const executable of [folder, libraries, program, join(folder, 'php')]) chmodSync(executable, 0o755);
}
