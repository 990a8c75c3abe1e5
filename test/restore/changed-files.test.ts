import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { restore } from '../../core/commands/restore.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';

describe('restoring what differs', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
  });

  afterEach(() => sandbox.remove());

  it('fetches the frames of the files that differ, and lets go of each once', async () => {
    for (let file = 0; file < 8; file++) writeFileSync(join(sandbox.shadow, `file-${file}`), Buffer.alloc(900 * 1024, `${file}`));
    await sandbox.back('full');
    const to = join(sandbox.folder, 'restored');
    await restore({ unit: 'site1', to }, sandbox.context);
    for (const file of [1, 4, 7]) writeFileSync(join(to, `shadow/file-${file}`), 'changed');
    const result = await restore({ unit: 'site1', to, overwrite: 'changed' }, sandbox.context);
    expect(result).to.include({ status: 'ok', failed: 0 });
    expect(await compareTrees(sandbox.shadow, join(to, 'shadow'))).to.deep.equal([]);
  });
});
