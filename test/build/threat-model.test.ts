import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../program.ts';

/** Sections without claims that hold. */
const WITHOUT_CLAIMS = ['Who is not trusted', 'What is not protected'];

interface Claim {
  readonly section: string;
  readonly text: string;
  /** Files below `test/` that it names itself, and the numbers of attack cases. */
  readonly tests: readonly string[];
  readonly cases: readonly number[];
}

/** The items of the sections that claim something. */
function claims(): Claim[] {
  const [, ...sections] = readFileSync(join(ROOT, 'docs/threat-model.md'), 'utf8').split(/^## /m);
  return sections.flatMap((whole) => {
    const [section = '', ...lines] = whole.split('\n');
    if (WITHOUT_CLAIMS.includes(section)) return [];
    const items = lines.join('\n').split(/^- /m).slice(1);
    return items.map((item): Claim => {
      const text = item.split('\n\n')[0]?.replaceAll(/\s+/g, ' ').trim() ?? '';
      const tests = [...text.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, file]) => file as string);
      return { section, text, tests, cases: casesOf(text) };
    });
  });
}

/** The numbers behind the files in brackets: `(…, 1 to 3)`, `(…, 7, 8)`. */
function casesOf(text: string): number[] {
  return [...text.matchAll(/\(([^()]*)\)/g)].flatMap(([, inside = '']) =>
    inside.includes('.test.ts') || inside.startsWith('the same')
      ? [...inside.matchAll(/(?:^|[ ,;])(\d+)(?: to (\d+))?(?=$|[,;])/g)].flatMap(([, from, to]) => {
          const first = Number(from);
          return Array.from({ length: Number(to ?? from) - first + 1 }, (_, at) => first + at);
        })
      : [],
  );
}

/** The numbers of the attack cases in the titles of a test file. */
function titled(file: string): Set<number> {
  const text = readFileSync(join(ROOT, 'test', file), 'utf8');
  return new Set([...text.matchAll(/\((?:attack )?cases? ([\d, ]+)\)/g)].flatMap(([, list = '']) => list.split(',').map(Number)));
}

describe('the threat model', () => {
  const all = claims();

  it('names tests that exist behind each claim', () => {
    expect(all.length).to.be.greaterThan(35);
    const without = all.filter(({ text, tests }) => tests.length === 0 && !/\(the same[,)]/.test(text));
    expect(without.map(({ section, text }) => `${section}: ${text}`)).to.deep.equal([]);
    const missing = all.flatMap(({ tests }) => tests.filter((file) => !existsSync(join(ROOT, 'test', file))));
    expect(missing).to.deep.equal([]);
  });

  it('names attack cases that stand in the titles of tests of the same section', () => {
    expect(all.flatMap(({ cases }) => cases).length).to.be.greaterThan(15);
    for (const [section, those] of Map.groupBy(all, (claim) => claim.section)) {
      const inTitles = new Set(those.flatMap(({ tests }) => tests.flatMap((file) => [...titled(file)])));
      const untitled = those.flatMap(({ cases }) => cases).filter((number) => !inTitles.has(number));
      expect(untitled, section).to.deep.equal([]);
    }
  });
});
