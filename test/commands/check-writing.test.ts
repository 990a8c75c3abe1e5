import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { Failure } from '../../core/failure.ts';
import { checkWriting } from '../../core/monitor/check-writing.ts';
import type { Backend } from '../../core/repository/backends/backend.ts';
import type { Repository } from '../../core/repository/repository.ts';

describe('whether a place can be written to, as doctor tries it', () => {
  const folder = `/tmp/apiscp-backup-writing-${process.pid}`;
  before(() => {
    mkdirSync(folder, { mode: 0o700 });
    execaSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'writing', folder]);
  });
  after(() => {
    execaSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  });

  it('is told of a folder by bytes that are written, for a full disk takes files without any', async () => {
    const ask = () => checkWriting('destination', folder, {} as Backend, undefined);
    expect(await ask()).to.include({ result: 'ok' });
    expect(() => writeFileSync(`${folder}/full`, Buffer.alloc(1024 * 1024))).to.throw('ENOSPC');
    const full = await ask();
    expect(full.result).to.equal('problem');
    expect(full.message).to.contain('cannot be written to (ENOSPC)');
  });

  it('is told of a store by its own trial, in the folder of this server alone', async () => {
    const tried: string[] = [];
    const store = (error?: Failure) => {
      const tryWriting = async (name: string) => {
        tried.push(name);
        if (error !== undefined) throw error;
      };
      return { tryWriting } as unknown as Backend;
    };
    const own = { isOwn: true, server: 'f00d' } as unknown as Repository;
    const ask = (backend: Backend, repository: Repository | undefined = own) =>
      checkWriting('copy', 'sftp:backup@example.com:/srv', backend, repository);
    expect(await ask(store())).to.include({ result: 'ok' });
    const refused = await ask(store(new Failure('io_error', 'permission denied')));
    expect(refused.result).to.equal('problem');
    expect(refused.message).to.contain('not written to: permission denied');
    expect(tried).to.deep.equal(['servers/f00d', 'servers/f00d']);
    const ofAnother = { isOwn: false, server: 'f00d' } as unknown as Repository;
    expect(await ask(store(new Failure('io_error', 'x')), ofAnother)).to.include({ result: 'ok' });
    expect(tried).to.have.length(2);
  });
});
