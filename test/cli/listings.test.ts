import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { modeText, renderDiff, renderFind, renderHistory, renderLs } from '../../core/cli/listings.ts';
import type { EntryResult, PointInTimeResult } from '../../core/schemas/reading.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { runProgram } from '../program.ts';

const moment: PointInTimeResult = { text: 'today (UTC)', zone: 'UTC', instant: 't', snapshot: 'x', taken: 't', stood: null };
const whole = { status: 'ok', warnings: [], warningCount: 0 } as const;
const head = { ...whole, unit: 'site1', unitId: 'site1-00000000', current: true, next: null };
const file: EntryResult = {
  ...{ kind: 'file', mode: '0644', uid: 0, gid: 0, size: 3, digest: 'ab'.repeat(32), target: null },
  mtime: '2026-01-02T03:04:05.000000006Z',
};

describe('a listing for people', () => {
  it('shows modes as ls does', () => {
    const shown = {
      '0755': '-rwxr-xr-x',
      '4755': '-rwsr-xr-x',
      '6640': '-rwSr-S---',
      '1777': '-rwxrwxrwt',
      '1000': '---------T',
      '0000': '----------',
    };
    for (const [mode, text] of Object.entries(shown)) expect(modeText('file', mode)).to.equal(text);
    expect(modeText('directory', '2750')).to.equal('drwxr-s---');
    expect(modeText('symlink', '0777')).to.equal('lrwxrwxrwx');
  });

  it('has its title once, and a line an entry that cannot steer the terminal', () => {
    const link = { ...file, kind: 'symlink', path: 'a\x1b[2J', target: { path: 'b\nc' } } as const;
    const result = { ...head, moment, entries: [link, { path: 'var', kind: 'directory' } as const] };
    const lines = renderLs(result, true).split('\n');
    expect(lines).to.have.length(4);
    expect(lines[0]).to.equal('site1, today (UTC): snapshot x, taken t');
    expect(lines[1]).to.match(/^lrw-r--r-- 0:0 +3 2026-01-02T03:04:05Z a\\x1b\[2J -> b\\x0ac$/);
    expect(lines[2]).to.match(/^d +var$/);
    expect(renderLs(result, false).split('\n')).to.deep.equal(lines.slice(1));
  });

  it('has a path and its versions, events, and differences', () => {
    const stretch = { first: 's1', firstTaken: 't1', last: 's2', lastTaken: 't2', snapshots: 2 };
    const found = [{ path: 'a\x07', deleted: true, versions: [{ ...stretch, ...file }] }];
    expect(renderFind({ ...head, snapshots: 3, found }, true)).to.match(
      /^a\\x07 \(deleted\)\n {2}-rw-r--r-- .* in s1 to s2 \(2 snapshots\)\n$/,
    );
    expect(renderFind({ ...head, snapshots: 3, found: [] }, true)).to.equal('Nothing found in 3 snapshots.\n');
    const events = [
      { event: 'deleted', ...stretch, changes: [], entry: null },
      { event: 'changed', ...stretch, changes: ['content', 'mtime'], entry: file },
    ] as const;
    expect(renderHistory({ ...head, path: 'p', snapshots: 3, events }, false)).to.match(
      /^t1 {2}s1 {2}deleted\nt1 {2}s1 {2}changed: content, mtime\n {2}-rw-.*Z [ab]{12}\n$/,
    );
    const difference = { path: 'x\r', difference: 'changed', changes: ['mode'], before: file, after: file } as const;
    const result = { ...head, from: moment, to: null, differences: [difference] };
    expect(renderDiff(result, false)).to.equal('~ x\\x0d  (mode)\n');
    expect(renderDiff(result, true)).to.contain('to the server as it is now');
    const lacking = {
      ...head,
      status: 'partial',
      warnings: [{ code: 'io_error', message: 'a record\x1b: EIO' }],
      warningCount: 1,
    } as const;
    expect(renderFind({ ...lacking, snapshots: 3, found: [] }, true)).to.equal('Nothing found in 3 snapshots.\n! a record\\x1b: EIO\n');
    for (const text of [
      renderLs({ ...lacking, moment, entries: [] }, true),
      renderHistory({ ...lacking, path: 'p', snapshots: 3, events: [] }, true),
      renderDiff({ ...result, ...lacking }, true),
    ])
      expect(text.endsWith('! a record\\x1b: EIO\n')).to.equal(true);
  });
});

describe('a long answer', () => {
  const FILES = 2500;
  let sandbox: Sandbox;

  before(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
    mkdirSync(join(sandbox.shadow, 'many'));
    for (let i = 0; i < FILES; i++) writeFileSync(join(sandbox.shadow, 'many', `file${i}`), '');
    await sandbox.back('full');
  });
  after(() => sandbox.remove());

  const program = (...words: string[]) => runProgram([...words, '--config', sandbox.settingsFile]);

  it('is read on to its end for a person, who may have less', async () => {
    const { stdout, exitCode } = await program('ls', 'site1', 'shadow/many');
    expect(exitCode).to.equal(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).to.have.length(1 + FILES);
    expect(new Set(lines).size).to.equal(1 + FILES);
    expect((await program('ls', 'site1', 'shadow/many', '--limit', '3')).stdout.trimEnd().split('\n')).to.have.length(4);
  });

  it('is one page as JSON, with the way to the next', async () => {
    const first = JSON.parse((await program('find', 'site1', 'file*', '--json')).stdout);
    expect(first.found).to.have.length(1000);
    const rest = JSON.parse((await program('find', 'site1', 'file*', '--json', '--limit', '10000', '--after', first.next)).stdout);
    expect(rest.found).to.have.length(FILES - 1000);
    expect(rest.next).to.equal(null);
  });

  it('that cannot be given is a failure with advice', async () => {
    const wrong = await program('ls', 'site1', '--at', 'someday');
    expect(wrong.exitCode).to.equal(2);
    expect(wrong.stderr).to.contain('yesterday 14:00');
    expect((await program('history', 'site1')).exitCode).to.equal(2);
    expect((await program('ls', 'site1', '--limit', '0')).exitCode).to.equal(2);
    expect((await program('history', 'site1', 'shadow/none')).stderr).to.contain('find');
  });
});
