import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { list } from '../../core/commands/list.ts';
import { ls } from '../../core/commands/ls.ts';
import { restore } from '../../core/commands/restore.ts';
import { verify } from '../../core/commands/verify.ts';
import type { BlockSection } from '../../core/manifest/format/block-layout.ts';
import { exitCodeOfFailure } from '../../core/schemas/exit-codes.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';
import { Forger } from './forge.ts';

/** Adds to the first number of a section of u32. */
const plus = (more: number) => (section: Buffer) => {
  section.writeUInt32LE((section.readUInt32LE(0) + more) >>> 0, 0);
  return section;
};

describe('a repository that was forged with all digests right', function () {
  this.timeout(60_000);
  let sandbox: Sandbox;
  let forger: Forger;
  let full: string;
  let last: string;
  let restores = 0;

  beforeEach(async () => {
    sandbox = new Sandbox();
    forger = new Forger(sandbox);
    await sandbox.init();
    mkdirSync(join(sandbox.shadow, 'folder'));
    for (const name of ['a', 'b', 'folder/c']) writeFileSync(join(sandbox.shadow, name), `content of ${name}`);
    symlinkSync('a', join(sandbox.shadow, 'link'));
    full = (await sandbox.back('full')).snapshot as string;
    writeFileSync(join(sandbox.shadow, 'later'), 'changed');
    symlinkSync('b', join(sandbox.shadow, 'later link'));
    last = (await sandbox.back('incremental')).snapshot as string;
  });
  afterEach(() => sandbox.remove());

  const folder = () => join(sandbox.folder, `restored-${restores}`);
  const restored = (at?: string): Promise<RestoreResult> =>
    restore({ unit: 'site1', to: join(sandbox.folder, `restored-${++restores}`), ...(at === undefined ? {} : { at }) }, sandbox.context);

  const malformed: [string, Partial<Record<BlockSection, (section: Buffer) => Uint8Array>>][] = [
    ['a walk that is none', { depth: plus(7) }],
    ['tables that are cut', { extentOffsets: (section) => section.subarray(4) }],
    ['an extent in a pack that there is not', { extentPack: plus(99) }],
    ['a device that there is not', { deviceIndex: plus(99) }],
    ['nanoseconds of more than a second', { mtimeNanoseconds: (section) => section.fill(0x7f) }],
    ['an owner that none can be', { uid: (section) => section.fill(0xff) }],
  ];
  for (const [what, change] of malformed) {
    it(`with ${what} is named by verify, and the next backup is a full instead of none`, async () => {
      forger.sections(last, change);
      const failure = await failureOf(() => ls({ unit: 'site1', recursive: true }, sandbox.context));
      expect(failure.message).to.include(`the manifest of the snapshot ${last}: `);
      expect(failure.affected.join()).to.include(`manifests/${last}`);
      // The run meets it by itself: nobody has verified before.
      const outcome = await sandbox.back('incremental');
      expect(outcome, JSON.stringify(outcome)).to.include({ error: null, level: 'full' });
      const { status, damages } = await verify({}, sandbox.context);
      expect(status).to.equal('damaged');
      expect(damages.map(({ object }) => object).join()).to.include(`manifests/${last}`);
      expect((await sandbox.back('auto')).error).to.equal(null);
      expect(await sandbox.differences()).to.deep.equal([]);
      // What does not need the malformed one is as it was.
      expect((await restored(full)).status).to.equal('ok');
    });
  }

  it('with a row of no sense restores everything else, names it, and has no thing of it', async () => {
    const rows = forger.rows(last);
    forger.manifestOf(
      last,
      rows.map((row) => (row.path === 'shadow/later' ? { ...row, size: 99 } : row)),
    );
    const { status, warnings, failed } = await restored();
    expect({ status, failed }).to.deep.equal({ status: 'partial', failed: 1 });
    expect(warnings.map(({ path }) => path)).to.deep.equal(['shadow/later']);
    expect(readFileSync(join(folder(), 'shadow/folder/c'), 'utf8')).to.equal('content of folder/c');
    expect(readdirSync(join(folder(), 'shadow')))
      .to.include('later link')
      .and.not.to.include('later');
  });

  it('with rows outside of its trees restores nothing of them', async () => {
    const [shadow] = forger.rows(full).filter((row) => row.path === 'shadow');
    const file = forger.rows(full).find((row) => row.path === 'shadow/a')!;
    const strangers = [
      { ...shadow!, path: 'etc' },
      { ...file, path: 'etc/x' },
    ];
    forger.manifestOf(
      full,
      [...forger.rows(full), ...strangers].sort((a, b) => (a.path < b.path ? -1 : 1)),
    );
    const { status, warnings } = await restored(full);
    expect(status).to.equal('partial');
    expect(warnings.map(({ code, path }) => [code, path])).to.deep.equal([
      ['unsafe_path', 'etc'],
      ['unsafe_path', 'etc/x'],
    ]);
    expect(readdirSync(folder()).sort()).to.deep.equal(['info', 'shadow']);
    expect((await verify({}, sandbox.context)).status).to.equal('damaged');
  });

  it('with records that say a key twice, begin with a mark or have impossible dates is damaged', async () => {
    const file = forger.file(`snapshots/${last}.json`);
    const text = readFileSync(file, 'utf8');
    // By a signature that does not fit each would be refused as well: the words tell what was seen.
    for (const [forged, why] of [
      [text.replace('"level":', '"level": "full",\n  "level":'), 'has a key twice'],
      [`\ufeff${text}`, 'is not JSON'],
      [text.replace(/"time": "\d{4}-\d\d/, '"time": "2026-13'), 'is not a valid snapshot record: /time'],
      [text.replace(/"time": "[^"]+/, '"time": "2026-02-29T03:00:00.000Z'), 'is not a valid snapshot record: /time'],
    ] as const) {
      expect(forged).not.to.equal(text);
      forger.replace(file, Buffer.from(forged));
      expect((await verify({}, sandbox.context)).damages.map(({ object }) => object).join(), forged.slice(0, 200)).to.include(last);
      const failure = await failureOf(() => restored(last));
      expect(failure).to.include({ code: 'repository_damaged' });
      expect(failure.message).to.include(why);
      expect(exitCodeOfFailure(failure.code)).to.equal(5);
    }
    forger.replace(file, Buffer.from(text));
    forger.record(last, (record) => {
      record.name = 'site2';
    });
    expect((await failureOf(() => restored(last))).message).to.include('belongs to another unit');
  });

  it('with names that this version does not know passes over them, and says so', async () => {
    const snapshots = join(forger.file(`snapshots/${last}.json`), '..');
    writeFileSync(join(snapshots, 'x.json.age'), 'sealed');
    sandbox.log.length = 0;
    expect((await restored()).status).to.equal('ok');
    expect(sandbox.log.map(({ code }) => code)).to.deep.equal(['repository_newer']);
    const { status, damages, warnings } = await verify({}, sandbox.context);
    expect([status, damages, warnings.map(({ code }) => code)]).to.deep.equal(['partial', [], ['repository_newer']]);
  });

  for (const [what, change] of [
    ['missing', (file: string) => rmSync(file)],
    ['damaged', (file: string) => writeFileSync(file, '{')],
    ['of another unit', (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"site1', '"site2'))],
  ] as const) {
    it(`whose unit.json is ${what} gives back every snapshot, by name and by id, and goes on in the same unit`, async () => {
      const file = forger.file('unit.json');
      const unitId = file.split('/').at(-2) as string;
      change(file);
      expect((await verify({}, sandbox.context)).damages.map(({ object }) => object).join()).to.include('unit.json');
      expect((await list({}, sandbox.context)).snapshots.map(({ id }) => id)).to.deep.equal([full, last]);
      for (const unit of ['site1', unitId]) {
        const to = join(sandbox.folder, `by-${unit}`);
        expect((await restore({ unit, to, at: full }, sandbox.context)).status).to.equal('ok');
        expect((await ls({ unit }, sandbox.context)).entries.length).to.be.greaterThan(0);
      }
      expect(await sandbox.differences()).to.deep.equal([]);
      const outcome = await sandbox.back('incremental');
      expect(outcome.error).to.equal(null);
      expect((await list({ unit: 'site1' }, sandbox.context)).snapshots.map(({ id }) => id)).to.include.members([full, last]);
    });
  }
});
