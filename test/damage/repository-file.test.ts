import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { list } from '../../core/commands/list.ts';
import { repair } from '../../core/commands/repair.ts';
import { verify } from '../../core/commands/verify.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import type { Failure } from '../../core/failure.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

/** What can happen to `repository.json`; undefined: it goes. */
const DAMAGES: readonly (readonly [what: string, edit: (bytes: Buffer) => Buffer | undefined])[] = [
  ['missing', () => undefined],
  ['empty', () => Buffer.alloc(0)],
  ['cut', (bytes) => bytes.subarray(0, 40)],
  ['appended to', (bytes) => Buffer.concat([bytes, Buffer.from('x')])],
  ['another object', () => Buffer.from('{"formatVersion": 1, "name": "x"}')],
  ['of another repository', (bytes) => Buffer.from(bytes.toString().replace(/"id": "[0-9a-f]{4}/, '"id": "ffff'))],
  ['huge', () => Buffer.alloc(1024 * 1024, ' ')],
  // One bit.
  ['of a newer version', (bytes) => Buffer.from(bytes.toString().replace('"formatVersion": 1', '"formatVersion": 3'))],
];

/** All of them with SLOW=1; else some. */
const shared = (...places: number[]) => (process.env.SLOW === '1' ? DAMAGES : places.map((place) => DAMAGES[place]!));

describe('a damaged repository.json', () => {
  let sandbox: Sandbox;
  let sound: Buffer;
  const file = (): string => join(sandbox.repository, 'repository.json');

  const damage = (edit: (bytes: Buffer) => Buffer | undefined): void => {
    rmSync(file(), { force: true });
    const bytes = edit(sound);
    if (bytes !== undefined) writeFileSync(file(), bytes);
    sandbox.log.length = 0;
  };
  const loseState = (): void => rmSync(sandbox.stateDirectory, { recursive: true, force: true });
  const meaning = (): unknown => JSON.parse(readFileSync(file(), 'utf8'));
  const codes = (): string[] => sandbox.log.map(({ code }) => code);

  async function begin(recipients?: string[]): Promise<void> {
    sandbox = new Sandbox();
    sandbox.set('limits', { workers: 1 });
    writeFileSync(join(sandbox.shadow, 'file'), 'content');
    await sandbox.init(recipients === undefined ? {} : { recipients });
    expect((await sandbox.back('full')).error).to.equal(null);
    sound = readFileSync(file());
  }
  afterEach(() => sandbox.remove());

  it('is named, keeps nothing from being restored, and is written anew by the next run', async () => {
    await begin();
    for (const [what, edit] of shared(0, 2, 5, 7)) {
      damage(edit);
      const { status, damages } = await verify({}, sandbox.context);
      expect({ status, objects: damages.map(({ object, code }) => [object, code]) }, what).to.deep.equal({
        status: 'damaged',
        objects: [['repository.json', 'repository_damaged']],
      });
      expect((await list({}, sandbox.context)).snapshots, what).to.have.length.greaterThan(0);
      expect(await sandbox.differences(), what).to.deep.equal([]);
      expect((await sandbox.back()).error, what).to.equal(null);
      expect(codes(), what).to.include('repository_damaged');
      expect(readFileSync(file()).equals(sound), what).to.equal(true);
      expect((await verify({}, sandbox.context)).status, what).to.equal('ok');
    }
  });

  it('is healed by repair, which says by what; a dry run writes nothing', async () => {
    await begin();
    damage(() => undefined);
    const planned = await repair({ dryRun: true }, sandbox.context);
    expect(existsSync(file())).to.equal(false);
    const { healed, status } = await repair({}, sandbox.context);
    expect(status).to.equal('ok');
    expect(healed).to.deep.equal([{ object: 'repository.json', from: 'state-directory' }]);
    expect(planned.healed).to.deep.equal(healed);
    expect(readFileSync(file()).equals(sound)).to.equal(true);
  });

  it('that says something else than it did is named, believed in nothing, and written as it was by repair alone', async () => {
    await begin([(await newIdentity()).recipient]);
    damage((bytes) => Buffer.from(bytes.toString().replace('"recipients"', '"recipienty"')));
    expect((await verify({ quick: true }, sandbox.context)).damages.map(({ object }) => object)).to.deep.equal(['repository.json']);
    expect((await sandbox.back()).error).to.equal(null);
    expect(readFileSync(file()).equals(sound)).to.equal(false);
    expect((await repair({}, sandbox.context)).healed).to.deep.equal([{ object: 'repository.json', from: 'state-directory' }]);
    expect(readFileSync(file()).equals(sound)).to.equal(true);
  });

  it('keeps nothing from a bare machine, which goes on by what the servers’ objects say', async () => {
    await begin();
    for (const [what, edit] of shared(1, 5, 7)) {
      damage(edit);
      loseState();
      expect(
        (await verify({}, sandbox.context)).damages.map(({ object }) => object),
        what,
      ).to.deep.equal(['repository.json']);
      expect(await sandbox.differences(), what).to.deep.equal([]);
    }
    loseState();
    // Also where most of what says it is damaged, too.
    for (const object of globSync(join(sandbox.repository, 'servers/*/{server.json,runs/*,machines/*}'))) writeFileSync(object, '');
    expect((await list({}, sandbox.context)).snapshots).to.have.length.greaterThan(0);
    expect((await repair({}, sandbox.context)).healed).to.deep.equal([{ object: 'repository.json', from: 'other-objects' }]);
    expect(meaning()).to.include({ id: (JSON.parse(sound.toString()) as { id: string }).id, formatVersion: 1 });
  });

  it('makes nothing plain: a server that begins there encrypts for those for whom the others do', async () => {
    const { recipient } = await newIdentity();
    await begin([recipient]);
    damage(() => undefined);
    loseState();
    sandbox.set('stateDirectory', join(sandbox.folder, 'other-state'));
    await sandbox.init({ newServer: true });
    expect(meaning()).to.deep.include({ recipients: [recipient] });
    writeFileSync(join(sandbox.shadow, 'later'), 'secret');
    expect((await sandbox.back('full')).error).to.equal(null);
    expect(globSync(join(sandbox.repository, 'servers/*/units/*/packs/*')).filter((pack) => !pack.endsWith('.age'))).to.deep.equal([]);
  });

  it('of a newer version is damage where nothing is stored but this machine knew it; else both is said', async () => {
    sandbox = new Sandbox();
    await sandbox.init();
    sound = readFileSync(file());
    rmSync(join(sandbox.repository, 'servers'), { recursive: true, force: true });
    damage(DAMAGES[7]![1]);
    expect((await sandbox.back()).error).to.equal(null);
    expect(readFileSync(file()).equals(sound)).to.equal(true);

    damage(DAMAGES[7]![1]);
    loseState();
    rmSync(join(sandbox.repository, 'servers'), { recursive: true, force: true });
    for (const command of [() => list({}, sandbox.context), () => sandbox.init(), () => sandbox.back()]) {
      const { code, message, advice } = (await failureOf(command)) as Failure;
      expect(code).to.equal('repository_newer');
      expect(message).to.include('a newer program wrote it, or it is damaged');
      expect(advice).to.include('"formatVersion": 1');
    }
  });

  it('opens the way for no other repository', async () => {
    await begin();
    const other = new Sandbox();
    try {
      await other.init();
      await other.back('full');
      rmSync(sandbox.repository, { recursive: true });
      cpSync(other.repository, sandbox.repository, { recursive: true });
      rmSync(file());
      expect(await failureOf(() => sandbox.back())).to.include({ code: 'repository_replaced' });
    } finally {
      await other.remove();
    }
    rmSync(join(sandbox.repository, 'servers'), { recursive: true });
    writeFileSync(join(sandbox.repository, 'photo.jpg'), 'x');
    expect(await failureOf(() => sandbox.back())).to.include({ code: 'repository_foreign' });
    mkdirSync(join(sandbox.repository, 'servers/0123456789abcdef/units'), { recursive: true });
    expect(await failureOf(() => sandbox.init())).to.include({ code: 'repository_foreign' });
    expect(globSync(join(sandbox.repository, '**/*.json'))).to.deep.equal([]);
  });
});
