import { existsSync, globSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { lookingAgain } from '../../core/browse/looking-again.ts';
import { list } from '../../core/commands/list.ts';
import { prune } from '../../core/commands/prune.ts';
import { restore } from '../../core/commands/restore.ts';
import { verify } from '../../core/commands/verify.ts';
import { Failure } from '../../core/failure.ts';
import { takeLock } from '../../core/locks/locks.ts';
import { deletionOf, writeDeletion } from '../../core/repository/history/deletions.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

const DAY = 86_400_000;

describe('beside a prune (case 36)', () => {
  let sandbox: Sandbox;
  let ids: string[];

  beforeEach(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
    ids = [];
    for (let number = 0; number < 3; number++) {
      writeFileSync(join(sandbox.shadow, 'file'), `content ${number}`);
      ids.push((await sandbox.back('full')).snapshot as string);
    }
  });

  afterEach(() => sandbox.remove());

  /** Removes what a prune would of one snapshot, or only its packs. */
  function removeSnapshot(id: string, folders = ['snapshots', 'manifests', 'packs']): void {
    for (const folder of folders) for (const file of sandbox.objects(folder)) if (file.includes(id)) rmSync(file);
  }

  function verifyWhile(action: () => void) {
    const { context } = sandbox;
    let isFirst = true;
    const progress = () => {
      if (isFirst) action();
      isFirst = false;
    };
    return verify({}, { ...context, settings: context.settings, reporter: { ...context.reporter, progress } });
  }

  it('a verification takes what was deleted by rule for gone, and what is damaged for damaged', async () => {
    // A prune says that it deletes the newest before it does.
    const repository = await openRepository(sandbox.context.settings, 'write', () => {});
    const [unit] = (await repository.units.ids()) as [string];
    const standing = [{ unit, sequence: 3, snapshots: [ids[0] as string] }];
    const said = { runs: [], snapshots: [{ unit, id: ids[2] as string }], standing, accepted: [] };
    await writeDeletion(repository, deletionOf(repository, said), []);
    const gone = await verifyWhile(() => {
      removeSnapshot(ids[1] as string);
      removeSnapshot(ids[2] as string);
    });
    expect(gone).to.deep.include({ status: 'ok', damages: [] });
    const damaged = await verifyWhile(() => removeSnapshot(ids[0] as string, ['packs']));
    expect(damaged.damages.map(({ snapshots }) => snapshots)).to.deep.equal([[ids[0]]]);
  });

  it('a reader looks again, once', async () => {
    let calls = 0;
    const reading = lookingAgain(async (failures: number) => {
      if (++calls <= failures) throw new Failure('repository_damaged', 'gone');
      return 'found';
    });
    expect(await reading(1, sandbox.context)).to.equal('found');
    calls = 0;
    expect(await failureOf(() => reading(9, sandbox.context))).to.include({ code: 'repository_damaged' });
    expect(calls).to.equal(2);
  });

  it('nothing goes that a restore reads, and a restore looks for snapshots only when nothing goes any more', async () => {
    sandbox.set('retention', { keepLast: 0, guardShare: 1 });
    const reading = takeLock(sandbox.stateDirectory, 'site1', 'restore', 'shared');
    expect((await prune({}, sandbox.context)).units[0]).to.include({ status: 'skipped' });
    // Others may read as well.
    expect(await restore({ unit: 'site1', to: join(sandbox.folder, 'other') }, sandbox.context)).to.include({ status: 'ok' });
    reading.release();
    const pruning = takeLock(sandbox.stateDirectory, 'site1', 'a prune');
    const waiting = restore({ unit: 'site1', at: ids[0] as string, to: join(sandbox.folder, 'late') }, sandbox.context);
    removeSnapshot(ids[0] as string);
    pruning.release();
    expect(await failureOf(() => waiting)).to.include({ code: 'snapshot_unknown' });
  });

  it('a half-made folder of a unit is nobody’s damage, and goes once it is old', async () => {
    const [unit] = globSync(join(sandbox.repository, 'servers/*/units/site1-*'));
    const half = join(unit as string, '..', 'site1-00000000');
    mkdirSync(join(half, 'snapshots'), { recursive: true });
    expect(await verify({}, sandbox.context)).to.include({ status: 'ok' });
    await list({}, sandbox.context);
    expect(sandbox.log.filter(({ level }) => level === 'error')).to.deep.equal([]);
    await prune({}, sandbox.context);
    expect(existsSync(half)).to.equal(true);
    const old = new Date(Date.now() - 2 * DAY);
    for (const folder of [join(half, 'snapshots'), half]) utimesSync(folder, old, old);
    await prune({ dryRun: true }, sandbox.context);
    expect(existsSync(half)).to.equal(true);
    expect(await prune({}, sandbox.context)).to.include({ status: 'ok' });
    expect(existsSync(half)).to.equal(false);
    expect(await sandbox.differences()).to.deep.equal([]);
  });

  it('a list says what cannot be restored, and why', async () => {
    writeFileSync(join(sandbox.shadow, 'file'), 'more');
    const last = (await sandbox.back('incremental')).snapshot as string;
    removeSnapshot(ids[2] as string, ['packs']);
    const { snapshots } = await list({ unit: 'site1' }, sandbox.context);
    expect(snapshots.map(({ restorable }) => restorable)).to.deep.equal([true, true, false, false]);
    expect(snapshots.at(-2)!.obstacle).to.match(/is missing$/);
    expect(snapshots.at(-1)).to.include({ id: last });
    expect(snapshots.at(-1)!.obstacle).to.match(new RegExp(`(needs ${ids[2]}, and )?.* is missing$`));
  });
});
