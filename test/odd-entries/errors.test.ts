import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { restore } from '../../core/commands/restore.ts';
import { verify } from '../../core/commands/verify.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { OddFileSystem } from './odd-file-system.ts';

/** Each kind of entry and call, with the number and the name of the error. */
const FAULTS: [string, number, string][] = [
  ...[
    [1, 'EPERM'],
    [5, 'EIO'],
    [11, 'EAGAIN'],
    [13, 'EACCES'],
    [16, 'EBUSY'],
    [24, 'EMFILE'],
    [74, 'EBADMSG'],
    [107, 'ENOTCONN'],
    [110, 'ETIMEDOUT'],
    [112, 'EHOSTDOWN'],
    [116, 'ESTALE'],
    [117, 'EUCLEAN'],
    [121, 'EREMOTEIO'],
    [126, 'ENOKEY'],
    [133, 'EHWPOISON'],
    [200, 'E200'],
  ].map(([number, name]): [string, number, string] => ['file-open', number as number, name as string]),
  ['file-read', 5, 'EIO'],
  ['file-read', 61, 'ENODATA'],
  ['file-read', 117, 'EUCLEAN'],
  ['file-getattr', 116, 'ESTALE'],
  ['file-again', 117, 'EUCLEAN'],
  ['file-listxattr', 117, 'EUCLEAN'],
  ['file-listxattr', 7, 'E2BIG'],
  ['file-getxattr', 74, 'EBADMSG'],
  ['link-readlink', 5, 'EIO'],
  ['link-readlink', 117, 'EUCLEAN'],
  ['link-getattr', 5, 'EIO'],
  ['link-listxattr', 117, 'EUCLEAN'],
  ['folder-opendir', 116, 'ESTALE'],
  ['folder-opendir', 5, 'EIO'],
  ['folder-readdir', 117, 'EUCLEAN'],
  ['folder-readdir', 2, 'ENOENT'],
  ['folder-getattr', 126, 'ENOKEY'],
  ['folder-listxattr', 5, 'EIO'],
];

describe('an entry of which a call fails', function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let odd: OddFileSystem | undefined;

  before(function () {
    if (!OddFileSystem.isPossible) this.skip();
  });

  beforeEach(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
  });

  afterEach(async () => {
    await odd?.unmount();
    odd = undefined;
    await sandbox.remove();
  });

  it('is named with the error and everything else is kept, whatever the call and the error', async () => {
    const names = FAULTS.map(([call, number]) => `${call}-${number}`);
    odd = await OddFileSystem.mount(sandbox.shadow, ['a-first', ...names, 'file-flush-5', 'z-last']);
    for (const level of ['full', 'incremental'] as const) {
      const unit = await sandbox.back(level);
      expect(unit, JSON.stringify(unit.error)).to.include({ status: 'partial', error: null });
      for (const [call, number, name] of FAULTS) {
        const told = unit.warnings.filter(({ path }) => path === `shadow/${call}-${number}`);
        expect(told, `${level}, ${call}: ${name}`).to.have.length.above(0);
        for (const { code } of told) expect(code, `${level}, ${call}: ${name}`).to.equal('unreadable');
        expect(told[0]!.message).to.match(new RegExp(`\\b${name}\\b`));
      }
      expect(new Set(unit.warnings.map(({ path }) => path))).to.have.property('size', FAULTS.length);
    }
    const to = join(sandbox.folder, 'restored');
    const result = await restore({ unit: 'site1', to }, sandbox.context);
    expect(result.status).to.equal('partial');
    for (const name of ['a-first', 'file-flush-5', 'z-last']) {
      expect(readFileSync(join(to, 'shadow', name), 'utf8')).to.equal(name);
    }
    expect((await verify({}, sandbox.context)).status).to.equal('ok');
  });

  it('is kept once when the listing names it twice', async () => {
    odd = await OddFileSystem.mount(sandbox.shadow, ['a-first', 'twice-file-x', 'twice-folder-x', 'twice-link-x', 'z-last']);
    for (const level of ['full', 'incremental'] as const) {
      const unit = await sandbox.back(level);
      expect(unit, JSON.stringify(unit.warnings)).to.include({ error: null, warningCount: 0 });
      expect(unit.status).to.equal(level === 'full' ? 'ok' : 'unchanged');
    }
    const to = join(sandbox.folder, 'restored');
    await restore({ unit: 'site1', to }, sandbox.context);
    expect(readFileSync(join(to, 'shadow/twice-folder-x/inside'), 'utf8')).to.equal('inside');
    expect(readFileSync(join(to, 'shadow/twice-file-x'), 'utf8')).to.equal('twice-file-x');
  });
});
