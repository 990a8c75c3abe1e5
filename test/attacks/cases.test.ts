import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../program.ts';

describe('the table of attack cases', () => {
  it('names as tested those that the title of a test has, and no others', () => {
    const page = readFileSync(join(ROOT, 'docs/security-review.md'), 'utf8');
    const rows = [...page.matchAll(/^\| (\d+) \| [^|]+ \| (tested|not yet)/gm)];
    expect(rows.map(([, number]) => Number(number))).to.deep.equal(Array.from({ length: 45 }, (_, index) => index + 1));
    const inTitles = new Set<string>();
    for (const file of globSync('test/**/*.test.ts', { cwd: ROOT })) {
      for (const [, numbers = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(/\((?:attack )?cases? ([\d, ]+)\)/g)) {
        for (const number of numbers.split(',')) inTitles.add(number.trim());
      }
    }
    const tested = rows.filter(([, , state]) => state === 'tested').map(([, number]) => number);
    expect(tested.filter((number) => !inTitles.has(number!))).to.deep.equal([]);
    expect(rows.filter(([, number, state]) => state === 'not yet' && inTitles.has(number!)).map(([, number]) => number)).to.deep.equal([]);
  });
});
