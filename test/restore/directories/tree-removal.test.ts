import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TreeRemoval } from '../../../core/restore/directories/tree-removal.ts';
import type { Problem } from '../../../core/restore/rules.ts';
import { NOTHING_EXCLUDED } from '../nothing-excluded.ts';

describe('removing a tree', () => {
  let work: string;
  const mounts: string[] = [];

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'tree-removal-'));
    for (const folder of ['tree/other', 'tree/bound', 'tree/deep', 'outside']) mkdirSync(join(work, folder), { recursive: true });
    writeFileSync(join(work, 'outside/kept'), '');
    writeFileSync(join(work, 'tree/deep/file'), '');
  });

  afterEach(() => {
    for (const mount of mounts.splice(0)) execFileSync('umount', [mount]);
    rmSync(work, { recursive: true, force: true });
  });

  it('never enters what is mounted in it, another file system or a part of the same one (case 29)', () => {
    execFileSync('mount', ['--bind', join(work, 'outside'), join(work, 'tree/bound')]);
    mounts.push(join(work, 'tree/bound'));
    execFileSync('mount', ['-t', 'tmpfs', 'none', join(work, 'tree/other')]);
    mounts.push(join(work, 'tree/other'));
    writeFileSync(join(work, 'tree/other/kept'), '');
    const directory = openSync(work, 'r');
    const problems: Problem[] = [];
    try {
      const removal = new TreeRemoval(
        { exclude: NOTHING_EXCLUDED, owner: undefined },
        (problem) => problems.push(problem),
        () => {},
        false,
      );
      expect(removal.remove(directory, 'tree', 'tree')).to.equal(false);
    } finally {
      closeSync(directory);
    }
    expect(problems.map(({ code, path }) => `${path}: ${code}`)).to.have.members([
      'tree/bound: mount_skipped',
      'tree/other: mount_skipped',
    ]);
    for (const path of ['outside/kept', 'tree/other/kept']) expect(existsSync(join(work, path)), path).to.equal(true);
    expect(existsSync(join(work, 'tree/deep'))).to.equal(false);
  });
});
