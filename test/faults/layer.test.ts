import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../program.ts';
import { FILE_CALLS } from './layer/points.ts';

/** Types and constants call nothing. */
const WITHOUT_CALL = ['constants', 'type Stats'];

describe('the layer of faults', () => {
  it('covers every function of node:fs that the core calls', () => {
    const imported = new Set<string>();
    for (const file of globSync('core/**/*.ts', { cwd: ROOT })) {
      const source = readFileSync(join(ROOT, file), 'utf8');
      expect(source, file).not.to.match(/from 'node:fs\/promises'/);
      for (const [, names = ''] of source.matchAll(/import \{([^}]*)\} from 'node:fs'/g)) {
        for (const name of names.split(',')) if (name.trim() !== '') imported.add(name.trim());
      }
    }
    for (const name of WITHOUT_CALL) imported.delete(name);
    expect([...FILE_CALLS].sort()).to.deep.equal([...imported].sort());
  });
});
