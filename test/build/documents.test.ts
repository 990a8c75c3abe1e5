import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';
import * as kinds from '../../core/repository/documents.ts';
import { ROOT } from '../program.ts';

const FOLDERS = ['bench', 'build', 'core', 'docs', 'php-module', 'scopes', 'test'];
const inside = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
);
const DOCUMENTS = [...readdirSync(ROOT), ...inside].filter((name) => name.endsWith('.md'));

/** Of the panel, not of this repository. */
const PANELS = ['config/custom/boot.php', 'bin/scripts/backup_dbs.php'];

const textOf = (document: string): string => readFileSync(join(ROOT, document), 'utf8').replace(/^( {4}|```)[\s\S]*?(\n\n|$)/gm, '\n');

/** The anchors that GitHub gives the headings of a document. */
function anchorsOf(document: string): string[] {
  const headings = [...textOf(document).matchAll(/^#+ (.+)$/gm)].map(([, title]) => (title as string).toLowerCase());
  return headings.map((title) => title.replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

/** Links to other documents and files, and to headings, without those to the web. */
function brokenLinks(document: string): string[] {
  const links = [...textOf(document).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
  return links.flatMap(([, path = '', anchor]) => {
    const target = path === '' ? document : normalize(join(dirname(document), path));
    if (!existsSync(join(ROOT, target))) return [`${document}: ${path}`];
    return anchor === undefined || anchorsOf(target).includes(anchor) ? [] : [`${document}: ${path}#${anchor}`];
  });
}

/** Source files named with their folder that stand neither at the root nor where the document's reader would look. */
function missingFiles(document: string): string[] {
  const named = [...textOf(document).matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|php|py|sh))`/g)].map(([, name]) => name as string);
  const places = [ROOT, join(ROOT, dirname(document)), join(ROOT, 'core'), join(ROOT, 'test')];
  return named
    .filter((name) => !PANELS.includes(name) && !places.some((place) => existsSync(join(place, name))))
    .map((name) => `${document}: ${name}`);
}

describe('the documents', () => {
  it('link to files and headings that exist', () => {
    expect(DOCUMENTS).to.include.members(['README.md', 'core/README.md', 'docs/guide/administrators.md']);
    expect(DOCUMENTS.flatMap(brokenLinks)).to.deep.equal([]);
  });

  it('name source files that exist', () => {
    expect(DOCUMENTS.filter((name) => name !== 'CHANGELOG.md').flatMap(missingFiles)).to.deep.equal([]);
  });

  it('say of each object of a repository which of its members are private', () => {
    const [, , section = ''] =
      /(## Private members\n)([\s\S]*?)\n## /.exec(readFileSync(join(ROOT, 'docs/format/encryption.md'), 'utf8')) ?? [];
    const said: Record<string, string[]> = {};
    let object = '';
    for (const [, name = '', members = ''] of section.matchAll(/^\| ([^|]*)\| (`[^|]*)\|/gm)) {
      object = name.trim() || object;
      said[object] = [...(said[object] ?? []), ...[...members.matchAll(/`(\w+)`/g)].map(([, member]) => member as string)].sort();
    }
    const names: Record<string, string> = { unit: '`unit.json`' };
    const hiding = Object.values(kinds).flatMap((kind) => (typeof kind === 'object' && kind.hidden.length > 0 ? [kind] : []));
    const hidden = hiding.map(({ title, hidden: members }) => [names[title] ?? title, [...members].sort()]);
    expect(said).to.deep.equal(Object.fromEntries(hidden));
  });
});
