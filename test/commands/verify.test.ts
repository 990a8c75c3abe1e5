import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import { PackBuilder } from '../../core/archive/pack-builder.ts';
import { PackReader } from '../../core/archive/pack-reader.ts';
import { verify } from '../../core/commands/verify.ts';
import type { Damage, VerifyResult } from '../../core/schemas/verify.ts';
import { failureOf } from '../failure-of.ts';
import { Sandbox } from './sandbox.ts';

/** Large enough to be stored in several frames and as several chunks. */
const LARGE = 9 * 1024 * 1024;

describe('verify', () => {
  let sandbox: Sandbox;
  let first: string;
  let second: string;

  beforeEach(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
    mkdirSync(join(sandbox.shadow, 'folder'));
    writeFileSync(join(sandbox.shadow, 'small'), 'content');
    writeFileSync(Buffer.from(join(sandbox.shadow, 'not-utf8-\xff'), 'latin1'), 'odd');
    writeFileSync(join(sandbox.shadow, 'folder/empty'), '');
    symlinkSync('small', join(sandbox.shadow, 'link'));
    writeFileSync(join(sandbox.shadow, 'large'), randomBytes(LARGE));
    first = (await sandbox.back('full')).snapshot as string;
    writeFileSync(join(sandbox.shadow, 'later'), 'changed');
    second = (await sandbox.back('incremental')).snapshot as string;
  });

  afterEach(() => sandbox.remove());

  const check = (unit?: string): Promise<VerifyResult> => verify(unit === undefined ? {} : { unit }, sandbox.context);

  /** The largest object whose path has all these parts. */
  function object(...parts: string[]): string {
    const all = readdirSync(sandbox.repository, { recursive: true }) as string[];
    const found = all.filter((path) => parts.every((part) => path.includes(part)) && statSync(file(path)).isFile());
    const largest = found.sort((a, b) => statSync(file(b)).size - statSync(file(a)).size)[0];
    if (largest === undefined) throw new Error(`no object has ${parts.join(' and ')}`);
    return largest;
  }

  const file = (path: string) => join(sandbox.repository, path);

  function flip(path: string, position: number): void {
    const bytes = readFileSync(file(path));
    const at = position < 0 ? bytes.length + position : position;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(file(path), bytes);
  }

  async function damageOf(path: string): Promise<Damage> {
    const result = await check();
    expect(result.status).to.equal('damaged');
    const damage = result.damages.find((each) => each.object === path);
    if (damage === undefined) throw new Error(`not named: ${path} in ${JSON.stringify(result.damages)}`);
    return damage;
  }

  it('finds nothing wrong with what a backup wrote, and says what it read', async () => {
    const result = await check('site1');
    expect(result).to.deep.include({ status: 'ok', units: ['site1'], snapshots: 2, damages: [] });
    expect(result.entries).to.be.greaterThan(8);
    expect(result.bytesRead).to.be.greaterThan(LARGE);
  });

  it('names the large file of which a byte changed, and every snapshot that needs it', async () => {
    const pack = object('packs', first);
    flip(pack, LARGE / 2);
    const damage = await damageOf(pack);
    expect(damage.snapshots).to.deep.equal([first, second]);
    expect(damage.files.map(({ path }) => path)).to.include('shadow/large');
    expect(damage.fileCount).to.equal(damage.files.length);
  });

  it('does not blame the first snapshot for damage of the second', async () => {
    const pack = object('packs', second);
    flip(pack, 20);
    const damage = await damageOf(pack);
    expect(damage.snapshots).to.deep.equal([second]);
    expect(damage.files.map(({ path }) => path)).to.include('shadow/later');
  });

  it('names every file of a pack that is missing, cut, or another one', async () => {
    const pack = object('packs', second);
    const bytes = readFileSync(file(pack));
    const damages: (() => void)[] = [
      () => rmSync(file(pack)),
      () => truncateSync(file(pack), bytes.length - 1),
      () => truncateSync(file(pack), 0),
      () => writeFileSync(file(pack), Buffer.concat([bytes, bytes])),
    ];
    for (const damage of damages) {
      damage();
      expect(
        (await damageOf(pack)).files.map(({ path }) => path),
        damage.toString(),
      ).to.include('shadow/later');
      writeFileSync(file(pack), bytes);
    }
    expect((await check()).status).to.equal('ok');
  });

  it('notices a pack that was written anew with the same contents', async () => {
    const pack = object('packs', second);
    const bytes = readFileSync(file(pack));
    const reader = await PackReader.open(bytes.length, async (offset, length) => bytes.subarray(offset, offset + length));
    const chunks: Uint8Array[] = [];
    const builder = new PackBuilder((chunk) => void chunks.push(Buffer.from(chunk)));
    for (let frame = 0; frame < reader.frameCount - 1; frame++) {
      const tar = await reader.readFrame(frame);
      const params = { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_checksumFlag]: 1 };
      await builder.addFrame(zstdCompressSync(tar, { params, pledgedSrcSize: tar.length }), tar.length);
    }
    await builder.finish();
    writeFileSync(file(pack), Buffer.concat(chunks));
    expect(await damageOf(pack)).to.include({ code: 'repository_damaged', fileCount: 0 });
  });

  it('notices any single byte of a pack', async () => {
    const pack = object('packs', second);
    const { length } = readFileSync(file(pack));
    for (let at = 0; at < length; at += Math.max(1, Math.floor(length / 20))) {
      flip(pack, at);
      expect((await check('site1')).status, `byte ${at} of ${length}`).to.equal('damaged');
      flip(pack, at);
    }
  }).timeout(120_000);

  it('notices a changed, cut or missing manifest, and goes on with the packs', async () => {
    const manifest = object('manifests', first);
    const bytes = readFileSync(file(manifest));
    for (const content of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from('x')]), Buffer.alloc(0), undefined]) {
      if (content === undefined) rmSync(file(manifest));
      else writeFileSync(file(manifest), content);
      const damage = await damageOf(manifest);
      expect(damage).to.include({ code: 'repository_damaged' });
      expect(damage.snapshots).to.deep.equal([first, second]);
    }
    writeFileSync(file(manifest), bytes);
    for (let at = 0; at < bytes.length; at += Math.max(1, Math.floor(bytes.length / 20))) {
      flip(manifest, at);
      expect(
        (await check('site1')).damages.map((each) => each.object),
        `byte ${at}`,
      ).to.include(manifest);
      flip(manifest, at);
    }
  }).timeout(120_000);

  it('notices a missing or changed record of which others depend', async () => {
    const record = object('snapshots', first);
    const text = readFileSync(file(record), 'utf8');
    writeFileSync(file(record), text.replace('"synthetic": false', '"synthetic": true '));
    expect((await damageOf(object('snapshots', second))).code).to.equal('chain_broken');
    writeFileSync(file(record), '{');
    expect((await damageOf(record)).snapshots).to.deep.equal([first]);
    rmSync(file(record));
    expect((await damageOf(object('snapshots', second))).snapshots).to.deep.equal([second]);
  });

  it('notices that two manifests were swapped (case 21)', async () => {
    const one = object('manifests', first);
    const other = object('manifests', second);
    const bytes = readFileSync(file(one));
    writeFileSync(file(one), readFileSync(file(other)));
    writeFileSync(file(other), bytes);
    expect((await check()).damages.map((each) => each.object)).to.include.members([one, other]);
  });

  it('notices an unusable unit.json', async () => {
    const unit = object('unit.json');
    writeFileSync(file(unit), 'x');
    expect((await damageOf(unit)).code).to.equal('repository_damaged');
  });

  it('stops when it is told to', async () => {
    const { reporter, ...context } = sandbox.context;
    const aborter = new AbortController();
    const stopping = { ...reporter, progress: () => aborter.abort() };
    expect(await failureOf(() => verify({}, { ...context, reporter: stopping, signal: aborter.signal }))).to.include({ code: 'cancelled' });
  });

  it('tells an owner nothing of a note that may be about anybody, and the administrator of it', async () => {
    const home = join(sandbox.shadow, 'home/admin1');
    mkdirSync(home, { recursive: true });
    chownSync(home, 2001, 2001);
    const [server] = readdirSync(join(sandbox.repository, 'servers'));
    mkdirSync(file(`servers/${server}/notes`), { recursive: true });
    writeFileSync(file(`servers/${server}/notes/20261126T132805303Z-79883d47.json`), 'x');
    expect(await check('site1')).to.include({ status: 'damaged' });
    expect(await verify({ unit: 'site1', policy: 'owner' }, sandbox.context)).to.include({ status: 'ok' });
  });

  it('says that there is no such unit', async () => {
    expect(await failureOf(() => check('site9'))).to.include({ code: 'unit_unknown' });
  });

  it('takes no unit for damaged whose beginning failed before anything was in its folder', async () => {
    const [unit] = readdirSync(sandbox.repository, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('/unit.json'));
    mkdirSync(join(file(unit as string), '../../site2-0123abcd/snapshots'), { recursive: true });
    expect(await check()).to.include({ status: 'ok' });
    sandbox.log.length = 0;
    await sandbox.back();
    expect(sandbox.log).to.deep.equal([]);
  });
});
