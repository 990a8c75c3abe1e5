import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { databases } from '../../core/commands/databases.ts';
import { diff } from '../../core/commands/diff.ts';
import { download } from '../../core/commands/download.ts';
import { find } from '../../core/commands/find.ts';
import { history } from '../../core/commands/history.ts';
import { hold } from '../../core/commands/hold.ts';
import { keys } from '../../core/commands/keys.ts';
import { list } from '../../core/commands/list.ts';
import { ls } from '../../core/commands/ls.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { verify } from '../../core/commands/verify.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

/** site1: a full and an incremental on it, of which the key was changed between, then a full and an incremental. site2: the first full alone. */
describe('backups from before and after a change of keys', () => {
  const sandbox = new Sandbox();
  const ids: string[] = [];
  const files = {
    older: join(sandbox.folder, 'older.key'),
    newer: join(sandbox.folder, 'newer.key'),
    both: join(sandbox.folder, 'both.key'),
  };
  const FILE = 'shadow/file';

  async function backUp(level: 'full' | 'incremental', units = ['site1']): Promise<void> {
    writeFileSync(join(sandbox.shadow, 'file'), `version ${ids.length}\n`);
    const result = await run({ units, level }, sandbox.context);
    ids.push(result.units.find(({ unit }) => unit === 'site1')?.snapshot as string);
  }

  before(async () => {
    writeFileSync(join(sandbox.addAccount('site2'), 'shadow/other'), 'of another account');
    const [older, newer] = [await newIdentity(), await newIdentity()];
    writeFileSync(files.older, `${older.secret}\n`);
    writeFileSync(files.newer, `${newer.secret}\n`);
    writeFileSync(files.both, `${older.secret}\n${newer.secret}\n`);
    await sandbox.init({ recipients: [older.recipient] });
    await backUp('full', ['site1', 'site2']);
    await hold({ unit: 'site1', snapshot: ids[0] as string, reason: 'kept' }, sandbox.context);
    await keys({ recipients: [newer.recipient], removeRecipients: [older.recipient] }, sandbox.context);
    await backUp('incremental');
    await backUp('full');
    await backUp('incremental');
  });
  after(() => sandbox.remove());

  const request = (identity: string | undefined, unit = 'site1') => ({ unit, ...(identity === undefined ? {} : { identity }) });
  const named = (warnings: readonly { readonly code: string; readonly message: string }[]): string[] =>
    ids.filter((id) => warnings.some(({ code, message }) => code === 'identity_wrong' && message.startsWith(id)));

  it('are told by history and find as far as the key opens them; what is left out is named', async () => {
    const told = await history({ ...request(files.newer), path: FILE }, sandbox.context);
    expect(told).to.include({ status: 'partial', snapshots: 2, warningCount: 2 });
    expect(told.events.map(({ first }) => first)).to.deep.equal([ids[3], ids[2]]);
    expect(named(told.warnings)).to.deep.equal(ids.slice(0, 2));
    const found = await find({ ...request(files.newer), pattern: 'file' }, sandbox.context);
    expect(found).to.include({ status: 'partial', snapshots: 2, warningCount: 2 });
    expect(found.found[0]?.versions.map(({ first }) => first)).to.deep.equal([ids[3], ids[2]]);
    expect(named(found.warnings)).to.deep.equal(ids.slice(0, 2));

    const before = await history({ ...request(files.older), path: FILE }, sandbox.context);
    expect(before.events.map(({ first }) => first)).to.deep.equal([ids[0]]);
    expect(named(before.warnings)).to.deep.equal(ids.slice(1));
    const all = await history({ ...request(files.both), path: FILE }, sandbox.context);
    expect(all).to.include({ status: 'ok', snapshots: 4 });
    expect(all.events.map(({ first }) => first)).to.deep.equal([...ids].reverse());
  });

  it('are refused where the key opens none', async () => {
    for (const command of [
      () => history({ ...request(files.newer, 'site2'), path: 'shadow/other' }, sandbox.context),
      () => find({ ...request(files.newer, 'site2'), pattern: 'other' }, sandbox.context),
      () => verify(request(files.newer, 'site2'), sandbox.context),
      () => verify({ ...request(files.newer, 'site2'), quick: true }, sandbox.context),
      () => ls({ ...request(files.newer), at: ids[0] as string }, sandbox.context),
    ]) {
      expect(await failureOf(command)).to.include({ code: 'identity_wrong' });
    }
    for (const command of [
      () => history({ ...request(undefined), path: FILE }, sandbox.context),
      () => find({ ...request(undefined), pattern: 'file' }, sandbox.context),
      () => verify({}, sandbox.context),
    ]) {
      expect(await failureOf(command)).to.include({ code: 'identity_missing' });
    }
  });

  it('of the newer key are listed, compared, downloaded and restored with that alone', async () => {
    expect((await list({}, sandbox.context)).status).to.equal('ok');
    expect((await ls(request(files.newer), sandbox.context)).status).to.equal('ok');
    const compared = await diff({ ...request(files.newer), from: ids[2] as string, to: ids[3] as string }, sandbox.context);
    expect(compared).to.include({ status: 'ok' });
    // The record is of the newer key; what it lies on is not asked for.
    expect(await databases({ ...request(files.newer), at: ids[1] as string }, sandbox.context)).to.include({ status: 'ok' });
    expect(await restore({ ...request(files.newer), to: join(sandbox.folder, 'out') }, sandbox.context)).to.include({ status: 'ok' });
    const file = join(sandbox.folder, 'out.tar.gz');
    expect(await download({ ...request(files.newer), to: file, paths: [FILE] } as never, sandbox.context)).to.include({ status: 'ok' });
  });

  it('are verified: contents as far as the key opens them, of the others the stored bytes', async () => {
    const mixed = await verify({ identity: files.newer }, sandbox.context);
    expect(mixed).to.include({ status: 'partial', warningCount: 2 });
    expect(mixed.damages).to.deep.equal([]);
    expect(named(mixed.warnings)).to.deep.equal([ids[0]]);
    expect(await verify({ identity: files.newer, quick: true }, sandbox.context)).to.include({ status: 'partial', warningCount: 2 });
    expect(await verify({ identity: files.both }, sandbox.context)).to.include({ status: 'ok', warningCount: 0 });
    expect(await verify({ quick: true }, sandbox.context)).to.include({ status: 'ok', warningCount: 0 });

    const [pack] = sandbox.objects('packs') as [string];
    const sound = readFileSync(pack);
    try {
      rmSync(pack);
      writeFileSync(pack, Buffer.from(sound.map((byte, at) => (at === sound.length - 40 ? byte ^ 1 : byte))));
      const damaged = await verify({ identity: files.newer }, sandbox.context);
      expect(damaged.status).to.equal('damaged');
      expect(damaged.damages.map(({ object, snapshots }) => [pack.endsWith(object), [...snapshots].sort()])).to.deep.equal([
        [true, ids.slice(0, 2)],
      ]);
    } finally {
      writeFileSync(pack, sound);
    }
  });
});
