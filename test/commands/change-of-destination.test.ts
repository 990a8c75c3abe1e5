import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { METHODS } from '../../core/commands/registry.ts';
import type { StatusResult } from '../../core/schemas/status.ts';
import { failureOf } from '../failure-of.ts';
import { Sandbox } from './sandbox.ts';

describe('a change of the destination', () => {
  it('begins with fulls at the new place, and goes on where it was at the old one', async () => {
    const sandbox = new Sandbox();
    const status = async () => (await METHODS.get('status')?.perform({}, sandbox.context)) as StatusResult;
    const unit = async () => (await status()).units.find(({ unit: name }) => name === 'site1');
    try {
      sandbox.set('databases', { method: 'none' });
      await sandbox.init();
      expect(await sandbox.back()).to.include({ level: 'full' });
      const before = (await unit())?.snapshot;
      sandbox.set('repository', join(sandbox.folder, 'other'));
      expect(await failureOf(() => sandbox.back())).to.include({ code: 'repository_missing' });
      await sandbox.init();
      expect((await unit())?.snapshot, 'nothing of the old place counts here').to.equal(null);
      expect((await status()).problems.map(({ code }) => code)).to.include('never_backed_up');
      expect(await sandbox.back()).to.include({ level: 'full', status: 'ok' });
      expect(await sandbox.differences()).to.deep.equal([]);
      sandbox.set('repository', sandbox.repository);
      expect((await unit())?.snapshot).to.equal(before);
      writeFileSync(join(sandbox.shadow, 'new'), 'x');
      expect(await sandbox.back()).to.include({ level: 'incremental', status: 'ok' });
      expect(await sandbox.differences()).to.deep.equal([]);
    } finally {
      await sandbox.remove();
    }
  });
});
