import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { LocalBackend } from '../../core/repository/backends/local.ts';
import { LocalWriter } from '../../core/repository/backends/local-writer.ts';
import { ROOT } from '../program.ts';
import { BACKEND_CALLS, CALLS } from './layer/points.ts';

describe('the layer of faults', () => {
  it('knows the calls of every kind', () => {
    expect(CALLS).to.include.members(['libc.openat', 'fs.openSync', 'fs.write', 'backend.commit', 'thread.start']);
  });

  it('misses no call of a backend', () => {
    // The last has no answer, and tells the system what it need not keep.
    const others = ['constructor', 'description', 'forgetCached'];
    const names = [LocalBackend, LocalWriter].flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype));
    expect(names.filter((name) => !others.includes(name) && !(BACKEND_CALLS as readonly string[]).includes(name))).to.deep.equal([]);
  });

  it('misses no way to the files: the core takes what it calls from node:fs by name', () => {
    for (const file of globSync('core/**/*.ts', { cwd: ROOT })) {
      const source = readFileSync(join(ROOT, file), 'utf8');
      expect(source, file).not.to.match(/from 'node:fs\/promises'/);
      expect(source, file).not.to.match(/import (?:\* as )?\w+ from 'node:fs'/);
    }
  });
});
