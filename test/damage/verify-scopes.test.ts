import { randomBytes } from 'node:crypto';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { keys } from '../../core/commands/keys.ts';
import { verify } from '../../core/commands/verify.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import type { VerifyRequest } from '../../core/schemas/verify.ts';
import { keepWaits, nextSample, readWaits, waitsAfter } from '../../core/verify/sample-turns.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';
import { Forger } from './forge.ts';

const BACKUPS = 8;
const UNIT = 'site1-5be0a6c2';

describe('the scopes of a verification', () => {
  let sandbox: Sandbox;
  let forger: Forger;
  let snapshots: string[];

  before(async () => {
    sandbox = new Sandbox();
    forger = new Forger(sandbox);
    await sandbox.init();
    snapshots = [];
    for (let backup = 0; backup < BACKUPS; backup++) {
      writeFileSync(join(sandbox.shadow, `file-${backup}`), randomBytes(50_000));
      snapshots.push((await sandbox.back(backup === 0 ? 'full' : 'incremental')).snapshot as string);
    }
  });
  after(() => sandbox.remove());

  const damagedBy = async (request: VerifyRequest): Promise<string> =>
    (await verify(request, sandbox.context)).damages.map(({ object }) => object).join();
  const pack = (backup: number) => forger.file(`packs/${snapshots[backup]}-0001.tar.zst`);

  async function changed<T>(file: string, bytes: Buffer | undefined, action: () => Promise<T>): Promise<T> {
    const original = readFileSync(file);
    if (bytes === undefined) rmSync(file);
    else forger.replace(file, bytes);
    try {
      return await action();
    } finally {
      forger.replace(file, original);
    }
  }

  function flipped(file: string): Buffer {
    const bytes = readFileSync(file);
    const middle = Math.floor(bytes.length / 3);
    bytes[middle] = bytes[middle]! ^ 1;
    return bytes;
  }

  it('quick finds objects that are missing or cut, records and manifests that changed, and reads no pack', async () => {
    const { status, bytesRead } = await verify({ quick: true }, sandbox.context);
    expect(status).to.equal('ok');
    expect(bytesRead).to.be.lessThan(BACKUPS * 10_000);
    const manifest = forger.file(`manifests/${snapshots[3]}.mf.zst`);
    const record = forger.file(`snapshots/${snapshots[3]}.json`);
    for (const [file, bytes] of [
      [pack(3), undefined],
      [pack(3), readFileSync(pack(3)).subarray(1)],
      [manifest, undefined],
      [manifest, flipped(manifest)],
      [record, Buffer.from('{}')],
      [forger.file('unit.json'), undefined],
      [forger.file('server.json'), undefined],
      [forger.file('server.json'), Buffer.from('x')],
    ] as const) {
      const found = await changed(file, bytes, () => damagedBy({ quick: true }));
      expect(found, file).to.include(file.slice(sandbox.repository.length + 1));
    }
    expect(await changed(pack(3), flipped(pack(3)), () => damagedBy({ quick: true }))).to.equal('');
  });

  it('a sample reads another share each time, and all of them together everything', async () => {
    for (let backup = 0; backup < BACKUPS; backup++) {
      const file = pack(backup);
      const found = await changed(file, flipped(file), async () => {
        const each: string[] = [];
        for (let day = 0; day < 5; day++) each.push(await damagedBy({ sample: 20 }));
        return each;
      });
      expect(found.join(), `pack ${backup}`).to.include(snapshots[backup]);
      expect(found.filter((objects) => objects === '').length, `pack ${backup}`).to.be.greaterThan(0);
    }
  });

  /** A repository of which samples are taken, with a state directory. */
  class Sampled {
    readonly stateFolder = mkdtempSync(join(tmpdir(), 'samples-'));
    /** Length and the samples since it was read or came, by path. */
    readonly packs = new Map<string, { length: number; samples: number }>();
    worst = 0;
    read = 0;

    sample(percent: number): void {
      const packs = [...this.packs].map(([path, { length }]) => ({ path, length }));
      const waits = readWaits(this.stateFolder, UNIT);
      const chosen = nextSample(packs, percent, waits);
      this.read = chosen.reduce((sum, { length }) => sum + length, 0);
      for (const each of this.packs.values()) each.samples++;
      for (const { path } of chosen) this.packs.get(path)!.samples = 0;
      this.worst = Math.max(this.worst, ...[...this.packs.values()].map(({ samples }) => samples));
      const after = waitsAfter(packs, percent, waits, new Set(chosen.map(({ path }) => path)));
      keepWaits(this.stateFolder, UNIT, after, ({ message }) => expect.fail(message));
    }

    add(number: number, length: number): void {
      this.packs.set(`packs/${String(number).padStart(6, '0')}`, { length, samples: 0 });
    }

    get bytes(): number {
      return [...this.packs.values()].reduce((sum, { length }) => sum + length, 0);
    }
  }

  it('of 5 % leaves no pack out for more than twenty samples, also when packs are added each day', () => {
    for (const growth of [0, 0.02, 0.05, 0.1]) {
      const sampled = new Sampled();
      let number = 0;
      while (number < 300) sampled.add(number++, 1 + ((number * 7919) % 100));
      for (let day = 0; day < (growth > 0.05 ? 35 : 50); day++) {
        sampled.sample(5);
        expect(sampled.read, 'no night reads much more than its share').to.be.lessThan(0.06 * sampled.bytes + 100);
        const until = number * (1 + growth);
        while (number < until && growth > 0) sampled.add(number++, 1 + ((number * 7919) % 100));
      }
      // Nineteen samples passed it over, at most, and the twentieth read it.
      expect(sampled.worst, `${100 * growth} % a day`).to.be.lessThan(20);
    }
  });

  it('of any shares leave no pack out for longer than their sum is 100, whatever comes, goes and is lost', () => {
    const day = fc.record({
      percent: fc.integer({ min: 1, max: 100 }),
      added: fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 8 }),
      removed: fc.array(fc.nat(), { maxLength: 8 }),
    });
    const percents = fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 30 }));
    fc.assert(
      fc.property(fc.array(day, { minLength: 40, maxLength: 120 }), percents, fc.nat({ max: 39 }), (days, fixed, lostOn) => {
        const sampled = new Sampled();
        const waited = new Map<string, number>();
        let number = 0;
        for (const [at, { percent: drawn, added, removed }] of days.entries()) {
          for (const length of added) sampled.add(number++, length);
          for (const nth of removed) {
            const path = [...sampled.packs.keys()][nth % Math.max(1, sampled.packs.size)];
            if (path !== undefined) sampled.packs.delete(path);
          }
          if (at === lostOn) {
            mkdirSync(join(sampled.stateFolder, 'samples'), { recursive: true });
            writeFileSync(join(sampled.stateFolder, 'samples', `${UNIT}.json`), at % 2 === 0 ? '{"packs/000001": 1e400' : '[]');
            waited.clear();
          }
          const percent = fixed ?? drawn;
          sampled.sample(percent);
          for (const [path, { samples }] of sampled.packs) {
            const sum = samples === 0 ? 0 : (waited.get(path) ?? 0) + percent;
            expect(sum, path).to.be.lessThan(100);
            waited.set(path, sum);
          }
        }
        rmSync(sampled.stateFolder, { recursive: true });
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });

  it('counts what a whole verification read, and keeps nothing of packs that are gone', async () => {
    const [folder] = globSync(join(sandbox.stateDirectory, 'repositories/*')) as [string];
    const kept = () => globSync(join(folder, 'samples/*.json')).map((file) => Object.keys(JSON.parse(readFileSync(file, 'utf8'))));
    await verify({ sample: 20 }, sandbox.context);
    expect(kept().flat()).to.not.deep.equal([]);
    await verify({ quick: true }, sandbox.context);
    expect(kept().flat()).to.not.deep.equal([]);
    await verify({}, sandbox.context);
    expect(kept()).to.deep.equal([[]]);
  });

  it('is one or the other', async () => {
    expect(await failureOf(() => verify({ quick: true, sample: 5 }, sandbox.context))).to.include({ code: 'usage' });
  });
});

describe('a verification by who has no key', () => {
  const sandbox = new Sandbox();
  const forger = new Forger(sandbox);
  const damagedBy = async (request: VerifyRequest): Promise<string> =>
    (await verify(request, sandbox.context)).damages.map(({ object }) => object).join();
  after(() => sandbox.remove());

  it('compares what is stored with its digests, be it of before the keys were changed', async () => {
    const [own, stranger] = [await newIdentity(), await newIdentity()];
    await sandbox.init({ recipients: [own.recipient] });
    writeFileSync(join(sandbox.shadow, 'file'), randomBytes(50_000));
    const { snapshot } = await sandbox.back('full');
    const foreign = join(sandbox.folder, 'foreign');
    writeFileSync(foreign, stranger.secret);
    for (const [change, code] of [
      [{}, 'identity_missing'],
      [{ serverCanRead: true }, 'identity_wrong'],
    ] as const) {
      await keys(change, sandbox.context);
      expect(await failureOf(() => verify({}, sandbox.context))).to.include({ code });
      for (const request of [{ quick: true }, { sample: 100 }]) {
        expect(await damagedBy(request)).to.equal('');
        expect(await failureOf(() => verify({ ...request, identity: foreign }, sandbox.context))).to.include({ code: 'identity_wrong' });
        for (const object of [`manifests/${snapshot}.mf.zst.age`, `packs/${snapshot}-0001.tar.zst.age`]) {
          const isRead = object.startsWith('manifests') || 'sample' in request;
          const file = forger.file(object);
          const bytes = readFileSync(file);
          const altered = Buffer.from(bytes);
          altered[bytes.length - 1]! ^= 1;
          forger.replace(file, altered);
          const { damages } = await verify(request, sandbox.context);
          expect(damages.map((damage) => damage.snapshots)).to.deep.equal(isRead ? [[snapshot]] : []);
          expect(await damagedBy(request), object).to.equal(isRead ? file.slice(sandbox.repository.length + 1) : '');
          forger.replace(file, bytes);
        }
      }
    }
  });
});
