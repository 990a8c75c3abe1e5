import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { excludePaths } from '../../../core/exclude/exclude-matcher.ts';
import { inlinePages } from '../../../core/scan/walk/inline-pages.ts';
import { record, rootIn } from '../recorded-walk.ts';

describe('a walk that nobody told of mounts', () => {
  let work: string;
  const mounts: string[] = [];

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'scan-mounts-'));
    for (const folder of ['tree/bound', 'tree/other', 'outside']) mkdirSync(join(work, folder), { recursive: true });
    writeFileSync(join(work, 'outside/secret'), '');
  });

  afterEach(() => {
    for (const mount of mounts.splice(0)) execFileSync('umount', [mount]);
    rmSync(work, { recursive: true, force: true });
  });

  /** Mounts that were made after the list of mounts was read are not in it. */
  it('enters none, neither of another file system nor of the same one (case 29)', async () => {
    execFileSync('mount', ['--bind', join(work, 'outside'), join(work, 'tree/bound')]);
    mounts.push(join(work, 'tree/bound'));
    execFileSync('mount', ['-t', 'tmpfs', 'none', join(work, 'tree/other')]);
    mounts.push(join(work, 'tree/other'));
    writeFileSync(join(work, 'tree/other/secret'), '');
    const task = { roots: rootIn(work), mounts: new Map() };
    const { lines } = await record(task.roots, inlinePages(task, excludePaths([])));
    expect(JSON.stringify(lines)).not.to.contain('secret');
  });
});
