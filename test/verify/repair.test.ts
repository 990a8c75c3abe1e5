import { createHash, randomBytes } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { prune } from '../../core/commands/prune.ts';
import { repair } from '../../core/commands/repair.ts';
import { verify } from '../../core/commands/verify.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { canBeProtected, geometryFor, parityLength } from '../../core/repository/recovery/geometry.ts';
import { makeRecovery } from '../../core/repository/recovery/make-recovery.ts';
import { decodeHead, encodeHead, recoveryLength, SHARD_DIGEST, shardCount } from '../../core/repository/recovery/recovery-head.ts';
import { encode, reconstruct } from '../../core/repository/recovery/reed-solomon.ts';
import { EXIT, exitCodeOfResult } from '../../core/schemas/exit-codes.ts';
import { Sandbox } from '../commands/sandbox.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Writes over some bytes of a file, as a disk does that has lost them. */
function lose(file: string, at: number, length: number): void {
  const bytes = readFileSync(file);
  bytes.fill(0xee, at, at + length);
  writeFileSync(file, bytes);
}

describe('recovery data', () => {
  it('is what other programs of Reed and Solomon make', () => {
    // The example of klauspost/reedsolomon and of Backblaze's JavaReedSolomon: five shards of two bytes, and five of parity.
    const shards = Buffer.concat([Buffer.from([0, 1, 4, 5, 2, 3, 6, 7, 8, 9]), Buffer.alloc(10)]);
    encode(shards, 5, 5);
    expect([...shards.subarray(10)]).to.deep.equal([12, 13, 10, 11, 14, 15, 90, 91, 94, 95]);
    const lost = Buffer.from(shards).fill(0, 0, 10);
    expect(
      reconstruct(
        lost,
        5,
        5,
        Array.from({ length: 10 }, (_, number) => number >= 5),
      ),
    ).to.equal(true);
    expect(lost.equals(shards)).to.equal(true);
    expect(
      reconstruct(
        lost,
        5,
        5,
        Array.from({ length: 10 }, (_, number) => number >= 6),
      ),
    ).to.equal(false);
  });

  it('covers every byte of an object of any length, in bounded pieces, with the share that was asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 41 }), fc.integer({ min: 1, max: 100 }), (length, percent) => {
        const geometry = geometryFor(length, percent);
        const { shard, data, parity, stripes } = geometry;
        expect(data * stripes * shard).to.be.at.least(length);
        expect(data + parity).to.be.at.most(256);
        expect(data * stripes).to.be.at.most(2 ** 20 + 200);
        expect(parityLength(geometry)).to.be.at.least((length * percent) / 100);
        if (length > 100 * MIB) expect(recoveryLength(geometry)).to.be.at.most(length * ((1.25 * percent + 1) / 100));
      }),
    );
  });
});

describe('recovery data of very long objects', () => {
  const sha256 = '0'.repeat(64);
  const isTaken = (length: number, percent: number): boolean => {
    const geometry = geometryFor(length, percent);
    try {
      decodeHead(encodeHead({ geometry, sha256, digests: Buffer.alloc(SHARD_DIGEST * shardCount(geometry)) }));
      return true;
    } catch {
      return false;
    }
  };

  it('is made as far as readers take it, and no further, whoever makes it', async () => {
    const sandbox = new Sandbox();
    try {
      await sandbox.init();
      const repository = await openRepository(sandbox.context.settings, 'write', () => {});
      for (const [length, percent, can] of [
        [2 ** 40, 2, true],
        [2 ** 40 + 1, 2, false],
        [2 ** 45, 100, true],
        [2 ** 46, 100, false],
      ] as const) {
        expect(canBeProtected(length, percent), `${length} ${percent}`).to.equal(can);
        expect(isTaken(length, percent)).to.equal(can);
        // Nothing of it is opened: there is no such pack.
        if (!can) expect(await makeRecovery(repository, { path: 'units/none', length, sha256 }, percent)).to.equal(false);
      }
    } finally {
      await sandbox.remove();
    }
  });
});

describe('repair', function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let sound: Map<string, string>;

  const unitFolder = (): string => globSync(join(sandbox.repository, 'servers/*/units/site1-*'))[0] as string;
  const objects = (folder: string): string[] => globSync(join(unitFolder(), folder, '*')).sort();
  const recoveryOf = (file: string): string => join(unitFolder(), 'recovery', `${basename(file)}.rs`);
  const all = (): string[] =>
    globSync(join(sandbox.repository, '**/*'), { withFileTypes: true }).flatMap((entry) =>
      entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
    );
  const remember = (): void => {
    sound = new Map(all().map((file) => [file, digest(file)]));
  };
  const changed = (): string[] => [...sound].filter(([file, sha256]) => !existsSync(file) || digest(file) !== sha256).map(([file]) => file);
  const names = (list: readonly { readonly object: string }[]): string[] => list.map(({ object }) => join(sandbox.repository, object));

  async function backUp(files: Readonly<Record<string, number>>, recovery: number | undefined, recipients?: string[]): Promise<void> {
    sandbox = new Sandbox();
    sandbox.set('limits', { workers: 1 });
    if (recovery !== undefined) sandbox.set('recovery', { percent: recovery });
    await sandbox.init(recipients === undefined ? {} : { recipients });
    for (const [name, length] of Object.entries(files)) writeFileSync(join(sandbox.shadow, name), randomBytes(length));
    expect((await sandbox.back('full')).error).to.equal(null);
    writeFileSync(join(sandbox.shadow, 'later'), randomBytes(9000));
    await sandbox.back('incremental');
    remember();
  }
  afterEach(() => sandbox.remove());

  for (const isSealed of [false, true]) {
    it(`heals a lost run of bytes of ${isSealed ? 'encrypted packs, without a key' : 'packs'}, wherever it is, and many lost sectors`, async () => {
      await backUp({ large: 24 * MIB }, 5, isSealed ? [(await newIdentity()).recipient] : undefined);
      const [pack] = objects('packs') as [string];
      const { size } = statSync(pack);
      const damages = [
        () => lose(pack, 0, 4 * KIB),
        () => lose(pack, 12_345, 4 * KIB),
        () => lose(pack, size - MIB, MIB),
        () => lose(pack, 7 * MIB + 1, MIB),
        () => {
          for (let at = 0; at < size; at += 3 * MIB + 4 * KIB) lose(pack, at, 512);
        },
      ];
      // Encrypted bytes are bytes like others: the first and the last are enough.
      for (const damage of isSealed ? damages.filter((_, number) => number % 4 === 0) : damages) {
        damage();
        expect(changed()).to.deep.equal([pack]);
        const { status, healed, lost } = await repair({}, sandbox.context);
        expect({ status, lost }).to.deep.equal({ status: 'ok', lost: [] });
        expect(names(healed)).to.deep.equal([pack]);
        expect(changed()).to.deep.equal([]);
      }
    });
  }

  it('says what it cannot heal, names the snapshots, and leaves it as it is', async () => {
    await backUp({ large: 3 * MIB }, 5);
    const [pack] = objects('packs') as [string];
    lose(pack, MIB, MIB);
    const damaged = digest(pack);
    const result = await repair({ unit: 'site1' }, sandbox.context);
    expect(result.status).to.equal('damaged');
    expect(exitCodeOfResult(result)).to.equal(EXIT.damaged);
    expect(names(result.lost)).to.deep.equal([pack]);
    expect(result.lost[0]?.snapshots).to.have.length(1);
    expect(result.lost[0]?.message).to.include('more than its recovery data can heal');
    expect(digest(pack)).to.equal(damaged);
  });

  it('heals every kind of object that snapshots need, a missing record that others build on among them', async () => {
    await backUp({ a: 30_000 }, 30);
    const [first] = objects('snapshots') as [string];
    for (const [what, file] of ['snapshots', 'manifests', 'packs'].flatMap((folder) =>
      objects(folder).map((object) => [folder, object] as const),
    )) {
      for (const cache of globSync(join(sandbox.stateDirectory, '**/*.mf.zst*'))) rmSync(cache);
      lose(file, Math.floor(statSync(file).size / 3), 300);
      expect((await verify({}, sandbox.context)).status, what).to.equal('damaged');
      const { healed, lost } = await repair({}, sandbox.context);
      expect({ healed: names(healed), lost }, what).to.deep.equal({ healed: [file], lost: [] });
      expect(changed(), what).to.deep.equal([]);
    }
    expect((await verify({}, sandbox.context)).status).to.equal('ok');
    rmSync(first);
    expect(names((await repair({}, sandbox.context)).healed)).to.deep.equal([first]);
    expect(changed()).to.deep.equal([]);
  });

  it('brings back the record of a snapshot that a run named and nothing builds on, or says that it is lost', async () => {
    await backUp({ a: 30_000 }, 30);
    const newest = objects('snapshots').at(-1) as string;
    rmSync(newest);
    expect(names((await repair({}, sandbox.context)).healed)).to.deep.equal([newest]);
    expect(changed()).to.deep.equal([]);
    expect((await verify({}, sandbox.context)).status).to.equal('ok');
    rmSync(newest);
    rmSync(recoveryOf(newest));
    expect(names((await repair({}, sandbox.context)).lost)).to.deep.equal([newest]);
  });

  it('brings back what is missing altogether, when there is as much recovery data as that', async () => {
    await backUp({ a: 300_000 }, 100);
    const removed = [...objects('packs'), objects('snapshots')[0] as string, ...objects('manifests')];
    for (const file of removed) rmSync(file);
    const { healed, status } = await repair({}, sandbox.context);
    expect(status).to.equal('ok');
    expect(names(healed).sort()).to.deep.equal(removed.sort());
    expect(changed()).to.deep.equal([]);
    expect(await sandbox.differences()).to.deep.equal([]);
  });

  it('heals a manifest by the copy in the state directory, also when there is no recovery data', async () => {
    await backUp({ a: 3000 }, undefined);
    expect(existsSync(join(unitFolder(), 'recovery'))).to.equal(false);
    const [manifest] = objects('manifests') as [string];
    rmSync(manifest);
    expect((await repair({}, sandbox.context)).healed.map(({ from }) => from)).to.deep.equal(['state-directory']);
    expect(changed()).to.deep.equal([]);
    const [pack] = objects('packs') as [string];
    lose(pack, 100, 1);
    expect((await repair({}, sandbox.context)).lost[0]?.message).to.include('there is no recovery data of it');
  });

  it('heals by recovery data of which one head is damaged, and makes damaged recovery data anew', async () => {
    await backUp({ large: 2 * MIB }, 5);
    const [pack] = objects('packs') as [string];
    for (const at of [10, statSync(recoveryOf(pack)).size - 10]) {
      lose(recoveryOf(pack), at, 8);
      lose(pack, MIB, 4 * KIB);
      expect((await verify({}, sandbox.context)).damages.map(({ object }) => join(sandbox.repository, object)).sort()).to.deep.equal(
        [pack, recoveryOf(pack)].sort(),
      );
      expect(names((await repair({}, sandbox.context)).healed)).to.deep.equal([pack]);
      expect((await repair({}, sandbox.context)).protected.map((object) => join(sandbox.repository, object))).to.deep.equal([pack]);
      expect(changed()).to.deep.equal([]);
    }
  });

  it('gives recovery data to what was stored before there was any, and counts it', async () => {
    await backUp({ a: 30_000 }, undefined);
    sandbox.set('recovery', { percent: 10 });
    const { protected: renewed } = await repair({}, sandbox.context);
    expect(renewed).to.have.length(6);
    writeFileSync(join(sandbox.shadow, 'third'), randomBytes(40_000));
    const { snapshot } = await sandbox.back('incremental');
    const record = JSON.parse(readFileSync(join(unitFolder(), `snapshots/${snapshot}.json`), 'utf8'));
    const stored = all().filter((file) => file.includes(snapshot as string) && !file.includes('.json'));
    expect(stored).to.have.length(4);
    expect(record.bytes.stored).to.equal(stored.reduce((sum, file) => sum + statSync(file).size, 0));
    expect((await verify({}, sandbox.context)).status).to.equal('ok');
  });

  it('changes nothing in a dry run, and says the same', async () => {
    await backUp({ a: 30_000 }, 30);
    const [pack] = objects('packs') as [string];
    lose(pack, 100, 500);
    const damaged = digest(pack);
    const planned = await repair({ dryRun: true }, sandbox.context);
    expect(digest(pack)).to.equal(damaged);
    const { healed, lost, protected: renewed } = await repair({}, sandbox.context);
    expect({ healed, lost, renewed }).to.deep.equal({ healed: planned.healed, lost: planned.lost, renewed: planned.protected });
  });

  it('leaves nothing for a prune to leave: recovery data goes with its object', async () => {
    await backUp({ a: 30_000 }, 10);
    rmSync(join(sandbox.shadow, 'a'));
    sandbox.now = () => new Date(Date.now() + 200 * 86_400_000);
    const { snapshot } = await sandbox.back('full');
    const { objects: foreseen, bytes } = await prune({ yes: true, dryRun: true }, sandbox.context);
    const done = await prune({ yes: true }, sandbox.context);
    expect({ foreseen, bytes }).to.deep.equal({ foreseen: done.objects, bytes: done.bytes });
    for (const folder of ['snapshots', 'manifests', 'packs', 'recovery'])
      expect(
        objects(folder).every((file) => file.includes(snapshot as string)),
        folder,
      ).to.equal(true);
    expect(objects('recovery')).to.have.length(objects('packs').length + 2);
    // What a prune of a running backup, or a killed run, leaves is found like all else.
    mkdirSync(join(unitFolder(), 'recovery'), { recursive: true });
    expect((await verify({}, sandbox.context)).status).to.equal('ok');
  });
});
