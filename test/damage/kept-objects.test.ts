import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { adopt } from '../../core/commands/adopt.ts';
import { hold, release } from '../../core/commands/hold.ts';
import { prune } from '../../core/commands/prune.ts';
import { repair } from '../../core/commands/repair.ts';
import { verify } from '../../core/commands/verify.ts';
import { Sandbox } from '../commands/sandbox.ts';

const DAY = 24 * 3_600_000;

describe('small objects that vanish from the repository', () => {
  let sandbox: Sandbox;
  let first: string;

  const objects = (pattern: string): string[] => globSync(join(sandbox.repository, 'servers/*', pattern)).sort();
  const damaged = async (): Promise<string[]> => {
    const { damages } = await verify({ quick: true }, sandbox.context);
    return damages.map(({ object }) => join(sandbox.repository, object));
  };

  beforeEach(async () => {
    sandbox = new Sandbox();
    sandbox.set('limits', { workers: 1 });
    sandbox.set('retention', { levels: { full: '10 days', differential: '10 days', incremental: '10 days' } });
    await sandbox.init();
    writeFileSync(join(sandbox.shadow, 'file'), 'one');
    first = (await sandbox.back('full')).snapshot as string;
    writeFileSync(join(sandbox.shadow, 'file'), 'two');
    sandbox.now = () => new Date(Date.now() + 60 * DAY);
    await sandbox.back('full');
  });
  afterEach(() => sandbox.remove());

  it('a hold: its snapshot stays, verify and prune say that it is gone, and the next run puts it back', async () => {
    await hold({ unit: 'site1', snapshot: first, reason: 'court' }, sandbox.context);
    const [file] = objects('holds/*') as [string];
    const bytes = readFileSync(file);
    rmSync(file);
    expect((await verify({}, sandbox.context)).damages).to.deep.include({
      ...{ code: 'history_missing', object: file.slice(sandbox.repository.length + 1), snapshots: [first], files: [], fileCount: 0 },
      message: `${file.slice(sandbox.repository.length + 1)} is gone, and this server did not remove it; the copy in the state directory counts`,
    });
    sandbox.log.length = 0;
    const { units } = await prune({ yes: true }, sandbox.context);
    expect(units[0]?.snapshots.find(({ id }) => id === first)).to.deep.include({ keep: true });
    expect(sandbox.log.map(({ code }) => code)).to.include('history_missing');
    await sandbox.back();
    expect(readFileSync(file).equals(bytes)).to.equal(true);
    expect(await damaged()).to.deep.equal([]);
  });

  it('a record of a run, of which a copy stands under another name: no other machine made that, and backups go on', async () => {
    const [file] = objects('runs/*').slice(-1) as [string];
    const copy = file.replace(/Z-[0-9a-f]{8}/, 'Z-ffffffff');
    writeFileSync(copy, readFileSync(file));
    writeFileSync(join(sandbox.shadow, 'file'), 'three');
    expect((await sandbox.back()).error).to.equal(null);
    expect(await damaged()).to.include(copy);
  });

  it('a hold that is released afterwards does not come back, nor one that ends', async () => {
    await hold({ unit: 'site1', snapshot: first, reason: 'court' }, sandbox.context);
    for (const file of objects('holds/*')) rmSync(file);
    expect((await release({ unit: 'site1', snapshot: first }, sandbox.context)).released).to.equal(1);
    await hold({ unit: 'site1', snapshot: first, reason: 'for some time', until: '1 day' }, sandbox.context);
    for (const file of objects('holds/*')) rmSync(file);
    await sandbox.back();
    expect(objects('holds/*')).to.have.length(1);
    for (const file of objects('holds/*')) rmSync(file);
    sandbox.now = () => new Date(Date.now() + 63 * DAY);
    expect(await prune({ yes: true }, sandbox.context)).to.include({ holds: 1 });
    await sandbox.back();
    expect(objects('holds/*')).to.deep.equal([]);
    expect(objects('units/*/snapshots/*').some((file) => file.includes(first))).to.equal(false);
  });

  it('a hold that another machine released, as it went on as the server, does not come back', async () => {
    await hold({ unit: 'site1', snapshot: first, reason: 'court' }, sandbox.context);
    const server = (objects('server.json')[0] as string).split('/').at(-2) as string;
    const here = sandbox.stateDirectory;
    sandbox.set('stateDirectory', join(sandbox.folder, 'elsewhere'));
    await adopt({ server, yes: true }, sandbox.context);
    await release({ unit: 'site1', snapshot: first }, sandbox.context);
    sandbox.set('stateDirectory', here);
    await adopt({ server, yes: true }, sandbox.context);
    expect((await damaged()).filter((file) => file.includes('/holds/'))).to.deep.equal([]);
    await sandbox.back();
    expect(objects('holds/*')).to.deep.equal([]);
  });

  it('a unit.json: the account goes on in its unit, by its name; and what a lost state knew is learned anew', async () => {
    rmSync(sandbox.stateDirectory, { recursive: true });
    await sandbox.back();
    const [file] = objects('units/*/unit.json') as [string];
    const bytes = readFileSync(file);
    for (const content of [undefined, '', '{}']) {
      rmSync(file);
      if (content !== undefined) writeFileSync(file, content);
      expect(await damaged()).to.deep.equal([file]);
      expect(await sandbox.differences()).to.deep.equal([]);
      if (content === '')
        expect((await repair({}, sandbox.context)).healed.map(({ object }) => join(sandbox.repository, object))).to.deep.equal([file]);
      else await sandbox.back();
      expect(objects('units/*/unit.json')).to.deep.equal([file]);
      expect(readFileSync(file).equals(bytes)).to.equal(true);
    }
  });

  it('recovery data, where the settings want it: verify names it, and repair makes it anew', async () => {
    sandbox.set('recovery', { percent: 10 });
    writeFileSync(join(sandbox.shadow, 'later'), 'three');
    await sandbox.back('full');
    const made = objects('units/*/recovery/*');
    expect(made).to.have.length.greaterThan(2);
    for (const file of made) rmSync(file);
    expect((await damaged()).sort()).to.deep.equal(made);
    sandbox.set('recovery', { percent: 0 });
    expect(await damaged()).to.deep.equal([]);
    sandbox.set('recovery', { percent: 10 });
    await repair({}, sandbox.context);
    expect(objects('units/*/recovery/*')).to.include.members(made);
    expect(await damaged()).to.deep.equal([]);
  });
});
