import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../program.ts';
import { GUARDS } from './guards.ts';

describe('the list of guards', () => {
  it('fits the code: each stands there once, so that it can be taken out', () => {
    const strayed = GUARDS.flatMap((guard) => {
      const code = readFileSync(join(ROOT, guard.file), 'utf8');
      const texts = [guard.text, ...(guard.again === undefined ? [] : [guard.again.text])];
      return texts.filter((text) => code.split(text).length !== 2).map(() => guard.name);
    });
    expect(strayed).to.deep.equal([]);
  });
});
