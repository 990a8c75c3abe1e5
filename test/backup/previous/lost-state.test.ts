import { globSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Sandbox } from '../../commands/sandbox.ts';

const SIZE = 200_000;

describe('a backup whose state or chain was damaged', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    mkdirSync(join(sandbox.shadow, 'folder'));
    writeFileSync(join(sandbox.shadow, 'folder/file'), Buffer.alloc(SIZE, 'noise that is not in any other file'));
    await sandbox.init();
    await sandbox.back('full');
  });

  afterEach(() => sandbox.remove());

  it('goes on with the chain that the repository has, says so, and still knows what is stored', async () => {
    rmSync(sandbox.stateDirectory, { recursive: true });
    renameSync(join(sandbox.shadow, 'folder'), join(sandbox.shadow, 'moved'));
    const outcome = await sandbox.back('incremental');
    expect(outcome).to.include({ status: 'ok', level: 'incremental', bytesRead: 0 });
    expect(sandbox.log.map(({ code }) => code)).to.include.members(['state_lost', 'manifest_fetched']);
    expect(await sandbox.differences(outcome.snapshot as string)).to.deep.equal([]);
  });

  it('is made all the same when the state cannot be kept at its end, says so, and is no stranger’s to the next one', async () => {
    const [folder] = globSync(join(sandbox.stateDirectory, 'repositories/*')) as [string];
    const lock = join(folder, 'server.lock');
    rmSync(lock, { force: true });
    mkdirSync(lock);
    writeFileSync(join(sandbox.shadow, 'new'), 'x');
    const runs = () => globSync(join(sandbox.repository, 'servers/*/runs/*')).length;
    const before = runs();
    expect(await sandbox.back('incremental')).to.include({ status: 'ok' });
    expect(runs()).to.equal(before + 1);
    expect(sandbox.log.map(({ code }) => code)).to.include('state_unusable');
    rmSync(lock, { recursive: true });
    sandbox.log.length = 0;
    expect(await sandbox.back('incremental')).to.include({ status: 'unchanged' });
    expect(sandbox.log.map(({ code }) => code)).to.include('state_lost');
    sandbox.log.length = 0;
    expect(await sandbox.back('incremental')).to.include({ status: 'unchanged' });
    expect(sandbox.log.map(({ code }) => code)).to.deep.equal([]);
  });

  it('takes a full when the repository has lost the manifest, too', async () => {
    rmSync(sandbox.stateDirectory, { recursive: true });
    const [manifest] = sandbox.objects('manifests');
    writeFileSync(manifest as string, 'damaged');
    const outcome = await sandbox.back('incremental');
    expect(outcome).to.include({ status: 'ok', level: 'full' });
    expect(outcome.reason).to.contain('No backup can build on the last one');
    expect(await sandbox.differences(outcome.snapshot as string)).to.deep.equal([]);
  });

  it('takes a full when a pack that the chain needs is gone, and the new chain is whole', async () => {
    const [pack] = sandbox.objects('packs');
    rmSync(pack as string);
    const outcome = await sandbox.back('incremental');
    expect(outcome).to.include({ status: 'ok', level: 'full' });
    expect(outcome.reason).to.contain('missing or cut');
    expect(await sandbox.differences(outcome.snapshot as string)).to.deep.equal([]);
  });
});
