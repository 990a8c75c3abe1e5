import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { Failure } from '../../core/failure.ts';
import { checkWriting } from '../../core/monitor/check-writing.ts';
import type { Backend, ObjectLocks } from '../../core/repository/backends/backend.ts';
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

  it('is a problem where a store that should lock what is stored does not, or does not say', async () => {
    const own = { isOwn: true, server: 'f00d' } as unknown as Repository;
    const rule = { mode: 'compliance', period: 1 } as const;
    const ask = (locks: Partial<ObjectLocks>) =>
      checkWriting(
        'destination',
        's3:https://s3.example.com/bucket',
        { tryWriting: async () => {}, locks: { rule, ...locks } } as unknown as Backend,
        own,
      );
    const check = async () => {};
    const locked = { mode: 'compliance', until: 2 } as const;
    expect(await ask({ check, of: async () => locked })).to.deep.include({ result: 'ok' });
    expect(await ask({ check, of: async () => 'missing' }), 'a copy that was not made yet').to.deep.include({ result: 'ok' });
    const asked: string[] = [];
    const none = async (name: string) => {
      asked.push(name);
      return 'unlocked' as const;
    };
    const forgetting = await ask({ check, of: none });
    expect([forgetting.result, asked]).to.deep.equal(['problem', ['servers/f00d/server.json']]);
    expect(forgetting.message).to.contain('what is stored is not locked: servers/f00d/server.json has no lock');
    const refusing = async () => Promise.reject(new Failure('repository_refused', 'the bucket has no object lock'));
    for (const locks of [{ check: refusing }, { check, of: refusing }]) {
      const found = await ask(locks);
      expect([found.result, found.message]).to.deep.equal(['problem', found.message.match(/.*the bucket has no object lock/)?.[0]]);
    }
  });
});
