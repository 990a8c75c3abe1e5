import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { importable, ROWS } from '../../build/rooms.ts';
import { ROOT } from '../program.ts';

const CORE = join(ROOT, 'core');
const everything = readdirSync(CORE, { recursive: true, encoding: 'utf8' }).filter((name) => !name.includes('.generated.'));
const readmes = everything.filter((name) => name === 'README.md' || name.endsWith('/README.md'));

/** The README that speaks for a file of core/: that of its folder, or of the nearest folder above that has one. */
function readmeOf(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const readme = join(folder, 'README.md');
    if (readmes.includes(readme)) return readme;
  }
}

/** The files of the first cells of a README's tables, as paths in core/. */
function tableOf(readme: string): string[] {
  const rows = readFileSync(join(CORE, readme), 'utf8').matchAll(/^\| ([^|]+) \|/gm);
  const names = [...rows].flatMap(([, cell]) => [...(cell as string).matchAll(/`([a-z0-9/.-]+\.ts)`/g)].map(([, name]) => name as string));
  return names.map((name) => join(dirname(readme), name));
}

describe('the READMEs of core', () => {
  for (const readme of readmes) {
    it(`have a table in core/${readme} that names each file that is there, and no other`, () => {
      const files = everything.filter((name) => name.endsWith('.ts') && readmeOf(name) === readme);
      expect(tableOf(readme).toSorted()).to.deep.equal(files.toSorted());
    });
  }

  it('say what each room may import, as the linter has it', () => {
    const rows = [...readFileSync(join(CORE, 'README.md'), 'utf8').matchAll(/^\| `[a-z]+`[^|]*\|[^|]*\|([^|]*)\|$/gm)];
    const shown = rows.map(([, cell]) => [...(cell as string).matchAll(/`([a-z]+)`/g)].map(([, room]) => room));
    const below = rows.map(([, cell]) => cell?.trim() === 'all below');
    expect(below).to.deep.equal(ROWS.map((row) => row.only === undefined && importable(row.rooms[0] as string).length > 0));
    expect(shown).to.deep.equal(ROWS.map((row) => row.only ?? []));
  });

  it('say what they do not guarantee', () => {
    const silent = readmes.filter((readme) => !/^Not guaranteed:/m.test(readFileSync(join(CORE, readme), 'utf8')));
    expect(silent).to.deep.equal([]);
  });

  it('name no source file that does not exist', () => {
    const missing = readmes.flatMap((readme) => {
      const folder = dirname(join(CORE, readme));
      const places = [folder, CORE, ROOT, ...subfoldersOf(folder)];
      const named = [...readFileSync(join(CORE, readme), 'utf8').matchAll(/`((?:[a-z0-9-]+\/)*[a-z0-9-]+(?:\.[a-z0-9-]+)*\.ts)`/g)];
      return named
        .filter(([, name]) => !places.some((place) => existsSync(join(place, name as string))))
        .map(([, name]) => `${readme}: ${name}`);
    });
    expect(missing).to.deep.equal([]);
  });
});

function subfoldersOf(folder: string): string[] {
  const below = relative(CORE, folder);
  const inside = everything.filter((name) => below === '' || name.startsWith(`${below}/`)).map((name) => dirname(join(CORE, name)));
  return below === '' ? [] : [...new Set(inside)];
}
