import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../program.ts';

const PAGE = 'docs/guide/developers/what-ok-means.md';

describe('the page that says what ok means', () => {
  it('names tests that exist', () => {
    const named = [...readFileSync(join(ROOT, PAGE), 'utf8').matchAll(/^ +- `(test\/[^`]+)`: (.+)$/gm)];
    expect(named.length).to.be.greaterThan(30);
    const missing = named.filter(([, file = '', title = '']) => !readFileSync(join(ROOT, file), 'utf8').includes(title));
    expect(missing.map(([line]) => line.trim())).to.deep.equal([]);
  });
});
