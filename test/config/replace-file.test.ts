import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { replaceFile } from '../../core/config/replace-file.ts';

describe('replacing a file', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'replace-file-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('removes what killed processes left in its folder, and nothing that a living one writes', () => {
    const { pid: dead } = spawnSync('true');
    const living = process.ppid;
    const left = [`state.json.${dead}-0123456789ab.tmp`, `other.json.${dead}-0123456789ab.tmp`];
    const others = [`state.json.${living}-0123456789ab.tmp`, 'state.json.old', 'state.json.tmp'];
    for (const name of [...left, ...others]) writeFileSync(join(folder, name), '');
    replaceFile(join(folder, 'state.json'), Buffer.from('new'));
    expect(readdirSync(folder).sort()).to.deep.equal(['state.json', ...others].sort());
    expect(readFileSync(join(folder, 'state.json'), 'utf8')).to.equal('new');
  });
});
