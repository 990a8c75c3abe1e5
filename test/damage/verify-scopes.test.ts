import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { verify } from '../../core/commands/verify.ts';
import type { VerifyRequest } from '../../core/schemas/verify.ts';
import { nextSample } from '../../core/verify/sample-place.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';
import { Forger } from './forge.ts';

const BACKUPS = 8;

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

  it('of twenty samples of 5 % cover everything, whatever the sizes are', () => {
    for (const sizes of [[1], [1, 1000, 1, 1], Array.from({ length: 300 }, (_, n) => 1 + ((n * 7919) % 100))]) {
      const packs = sizes.map((length, number) => ({ path: `packs/${String(number).padStart(4, '0')}`, length }));
      const seen = new Set<string>();
      let last: string | undefined;
      for (let day = 0; day < 20; day++) {
        const sample = nextSample(packs, 5, last);
        for (const { path } of sample) seen.add(path);
        last = sample.at(-1)?.path;
      }
      expect(seen.size, sizes.slice(0, 5).join()).to.equal(sizes.length);
    }
  });

  it('is one or the other', async () => {
    expect(await failureOf(() => verify({ quick: true, sample: 5 }, sandbox.context))).to.include({ code: 'usage' });
  });
});
