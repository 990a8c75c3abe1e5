import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { prune } from '../../../core/commands/prune.ts';
import { verify } from '../../../core/commands/verify.ts';
import { Sandbox } from '../../commands/sandbox.ts';

const DAY = 86_400_000;
const FILES = 60;
const FILE_SIZE = 20_000;
const LARGE_SIZE = 12 * 1024 * 1024;
const START = Date.parse('2027-03-01T03:00:00Z');

describe('compaction of packs', () => {
  let sandbox: Sandbox;
  let day: number;

  const write = (name: string, size = FILE_SIZE) => writeFileSync(join(sandbox.shadow, name), randomBytes(size));

  beforeEach(async () => {
    sandbox = new Sandbox();
    // So that each backup makes one pack.
    sandbox.set('limits', { workers: 1 });
    day = 0;
    sandbox.now = () => new Date(START + day * DAY);
    for (let i = 0; i < FILES; i++) write(`f${i}`);
    write('large', LARGE_SIZE);
    await sandbox.init();
    await sandbox.back('full');
  });

  afterEach(() => sandbox.remove());

  /** The packs of the account, by name, with their sizes. */
  function packs(): Map<string, number> {
    const units = readdirSync(join(sandbox.repository, 'servers')).map((server) => join(sandbox.repository, 'servers', server, 'units'));
    const folders = units.flatMap((folder) => readdirSync(folder).map((unit) => join(folder, unit, 'packs')));
    return new Map(folders.flatMap((folder) => readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size] as const)));
  }

  async function expectSound(): Promise<void> {
    expect(await verify({}, sandbox.context)).to.include({ status: 'ok' });
  }

  it('a synthetic full leaves behind a pack of which little is needed, with everything restorable', async () => {
    rmSync(join(sandbox.shadow, 'large'));
    for (let i = 10; i < FILES; i++) write(`f${i}`);
    day = 1;
    await sandbox.back('incremental');
    const before = [...packs().keys()];
    day = 100;
    const full = await sandbox.back('synthetic');
    expect(full).to.include({ level: 'full', bytesRead: 0 });
    expect(await sandbox.differences(full.snapshot as string)).to.deep.equal([]);
    await expectSound();

    sandbox.set('retention', { keepLast: 1, guardShare: 1 });
    // By a clock that has just jumped nothing goes without that.
    await prune({ yes: true }, sandbox.context);
    const kept = packs();
    expect([...kept.keys()].filter((name) => before.includes(name))).to.have.length(1);
    expect([...kept.values()].reduce((sum, size) => sum + size)).to.be.below(FILES * FILE_SIZE * 1.3);
    expect(await sandbox.differences()).to.deep.equal([]);
    await expectSound();

    // What was copied is found again, and is the base of what follows.
    day = 101;
    write('f0');
    expect(await sandbox.back('incremental')).to.include({ level: 'incremental', changed: 1 });
    day = 102;
    expect(await sandbox.back('synthetic')).to.include({ level: 'full', bytesRead: 0 });
    expect(await sandbox.differences()).to.deep.equal([]);
    await expectSound();
  });

  it('copies the chunks of a large file, each once, whatever number of names and files needs it', async () => {
    for (let i = 0; i < FILES; i++) write(`f${i}`, 400_000);
    day = 1;
    await sandbox.back('incremental');
    for (let i = 1; i < FILES; i++) rmSync(join(sandbox.shadow, `f${i}`));
    day = 2;
    const full = await sandbox.back('synthetic');
    // Of the first pack most is the large file; of the second one file of sixty is left.
    expect(full.bytesStored).to.be.within(400_000, 1_000_000);
    expect(await sandbox.differences()).to.deep.equal([]);
    await expectSound();
  });

  it('copies nothing while most of each pack is needed', async () => {
    for (let i = 0; i < 10; i++) write(`f${i}`);
    day = 1;
    await sandbox.back('incremental');
    day = 2;
    const before = packs().size;
    expect((await sandbox.back('synthetic')).bytesStored).to.be.below(100_000);
    // The structure of the new full.
    expect(packs().size).to.be.at.most(before + 1);
  });

  it('a differential leaves behind packs of incrementals, and never those of its full', async () => {
    for (let round = 1; round <= 4; round++) {
      for (let i = 0; i < 20; i++) write(`f${i}`);
      write(`once${round}`, 1000);
      day = round;
      await sandbox.back('incremental');
    }
    const [fullPack] = [...packs().keys()].sort();
    rmSync(join(sandbox.shadow, 'large'));
    day = 5;
    const differential = await sandbox.back('differential');
    expect(differential.level).to.equal('differential');
    sandbox.set('retention', { keepLast: 1, guardShare: 1 });
    // By a clock that has just jumped nothing goes without that.
    await prune({ yes: true }, sandbox.context);
    const kept = packs();
    expect([...kept.keys()]).to.include(fullPack);
    // The full, the last incremental's twenty files, and the small files of the others.
    expect([...kept.values()].reduce((sum, size) => sum + size)).to.be.below(LARGE_SIZE + (FILES + 20) * FILE_SIZE * 1.2);
    expect(kept.size).to.be.at.most(8);
    expect(await sandbox.differences()).to.deep.equal([]);
    await expectSound();
  });

  it('does not build on a pack that cannot be read, and stores everything anew instead', async () => {
    rmSync(join(sandbox.shadow, 'large'));
    for (let i = 10; i < FILES; i++) write(`f${i}`);
    day = 1;
    await sandbox.back('incremental');
    const [first] = [...packs().keys()].sort();
    const file = readdirSync(sandbox.repository, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith(first as string));
    const path = join(sandbox.repository, file as string);
    const original = readFileSync(path);
    // Only frames: the seek table at the end stays.
    writeFileSync(path, Buffer.concat([randomBytes(original.length - 4096), original.subarray(-4096)]));
    day = 2;
    const full = await sandbox.back('synthetic');
    expect(full).to.include({ status: 'ok', level: 'full' });
    expect(full.reason).to.include(first);
    expect(await sandbox.differences()).to.deep.equal([]);
    writeFileSync(path, original);
    await expectSound();
  });
});
