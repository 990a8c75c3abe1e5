import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Notice } from '../../core/context/notice.ts';
import { Failure } from '../../core/failure.ts';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import type { UnitIdentity } from '../../core/repository/identity.ts';
import { snapshotPath } from '../../core/repository/layout.ts';
import type { SnapshotRecord } from '../../core/repository/record.ts';
import type { Repository } from '../../core/repository/repository.ts';
import { SAFETY_AGE } from '../../core/repository/safety-age.ts';
import { namedObjects, unreferencedObjects } from '../../core/repository/unreferenced.ts';
import { failureOf } from '../failure-of.ts';
import { diskFull, FaultyBackend, Killed } from './faulty-backend.ts';
import { openTestRepository, SERVER, storeSnapshot, subject } from './fixtures.ts';
import { signedBytes } from './sign.ts';

const DAY = 24 * 60 * 60 * 1000;
const START = Date.parse('2026-11-01T03:00:00.123Z');

describe('a repository', () => {
  let state: string;
  let backend: MemoryBackend;
  let repository: Repository;
  let notices: Notice[];
  let unit: UnitIdentity;

  beforeEach(async () => {
    state = mkdtempSync(join(tmpdir(), 'state-'));
    backend = new MemoryBackend();
    ({ repository, notices } = await openTestRepository(backend, state));
    unit = await repository.units.open(subject('site1'));
  });

  afterEach(() => rmSync(state, { recursive: true }));

  async function put(name: string, content: string | Buffer): Promise<void> {
    await backend.remove(name);
    const writer = await backend.create(name);
    await writer.write(Buffer.from(content));
    await writer.commit();
  }

  const recordName = (record: SnapshotRecord) => `servers/${SERVER}/${snapshotPath(record.unit, record.id)}`;

  /** Puts an altered record in the place of a good one. */
  async function alter(record: SnapshotRecord, change: Record<string, unknown>): Promise<void> {
    await put(recordName(record), signedBytes({ ...record, ...change }, recordName(record), state));
  }

  it('lists snapshots as they were committed, oldest first', async () => {
    const later = await storeSnapshot(repository, unit, new Date(START + DAY));
    const earlier = await storeSnapshot(repository, unit, new Date(START));
    expect(earlier.id).to.match(/^20261101T030000123Z-[0-9a-f]{8}$/);
    expect(await repository.snapshots(unit.unit)).to.deep.equal([earlier, later]);
    expect(notices).to.deep.equal([]);
  });

  it('knows the digest of a record’s stored bytes, written or read', async () => {
    const record = await storeSnapshot(repository, unit, new Date(START));
    const digest = createHash('sha256')
      .update(await backend.read(recordName(record)))
      .digest('hex');
    expect(repository.recordDigest(record)).to.equal(digest);
    const [read] = await repository.snapshots(unit.unit);
    expect(repository.recordDigest(read as SnapshotRecord)).to.equal(digest);
    expect(() => repository.recordDigest({ ...record })).to.throw(Failure);
  });

  it('keeps and ignores fields that a later version added', async () => {
    const record = await storeSnapshot(repository, unit, new Date(START));
    await alter(record, { later: 'yes', counts: { ...record.counts, links: 3 } });
    const [read] = await repository.snapshots(unit.unit);
    expect(read).to.have.property('later', 'yes');
    expect(notices).to.deep.equal([]);
  });

  const damages: [string, Record<string, unknown>, string][] = [
    ['of another repository', { repository: 'f'.repeat(32) }, 'repository_damaged'],
    ['of another server', { server: 'f'.repeat(16) }, 'repository_damaged'],
    ['of another unit', { unit: 'site1-ffffffff' }, 'repository_damaged'],
    ['of another name', { name: 'site2' }, 'repository_damaged'],
    ['under another id', { id: '20261101T030000123Z-ffffffff' }, 'repository_damaged'],
    ['with a manifest elsewhere', { manifest: { path: '../../../etc/shadow', length: 1, sha256: '0'.repeat(64) } }, 'repository_damaged'],
    ['with a pack outside the packs', { packs: [{ path: 'units/../x', length: 1, sha256: '0'.repeat(64) }] }, 'repository_damaged'],
    ['with a length that is no length', { warningCount: -1 }, 'repository_damaged'],
    ['with a length beyond exact numbers', { warningCount: 1e300 }, 'repository_damaged'],
    ['without a part', { packs: undefined }, 'repository_damaged'],
    ['incremental without a base', { level: 'incremental' }, 'repository_damaged'],
    ['of a newer format', { formatVersion: 2, packs: 'another shape' }, 'repository_newer'],
  ];
  for (const [what, change, code] of damages) {
    it(`reports a record ${what} and still lists the others`, async () => {
      const good = await storeSnapshot(repository, unit, new Date(START));
      const bad = await storeSnapshot(repository, unit, new Date(START + DAY));
      await alter(bad, change);
      expect(await repository.snapshots(unit.unit)).to.deep.equal([good]);
      expect(notices.map((notice) => notice.code)).to.deep.equal([code]);
      expect(notices[0]?.message).to.include(bad.id);
    });
  }

  for (const [what, content] of [
    ['empty', ''],
    ['cut', '{"formatVersion":1,'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['null', 'null'],
    ['deep', '['.repeat(100_000)],
    ['a list', '[]'],
  ] as const) {
    it(`reports a record that is ${what} and still lists the others`, async () => {
      const good = await storeSnapshot(repository, unit, new Date(START));
      await put(recordName(await storeSnapshot(repository, unit, new Date(START + DAY))), content);
      expect(await repository.snapshots(unit.unit)).to.deep.equal([good]);
      expect(notices.map(({ code }) => code)).to.deep.equal(['repository_damaged']);
    });
  }

  it('refuses to commit a record that it could not read again', async () => {
    const record = await storeSnapshot(repository, unit, new Date(START));
    const broken = { ...record, id: '20261102T030000123Z-00000000' };
    expect(await failureOf(() => repository.commitRecord(broken))).to.include({ code: 'repository_damaged' });
    expect(await failureOf(() => repository.commitRecord({ ...record, warningCount: -1 }))).to.include({ code: 'internal' });
    expect(await failureOf(() => repository.commitRecord(record))).to.include({ code: 'object_exists' });
  });

  describe('keeps incarnations apart', () => {
    it('and goes on with the unit of the same one', async () => {
      expect(await repository.units.open({ ...subject('site1'), domain: 'renamed.example' })).to.deep.equal(unit);
      expect(unit.unit).to.match(/^site1-[0-9a-f]{8}$/);
    });

    it('and begins a new unit for another one of the same name', async () => {
      const second = await repository.units.open(subject('site1', 'second'));
      expect(second.unit).to.not.equal(unit.unit);
      expect(await repository.units.resolve('site1', 'second')).to.deep.equal(second);
      expect(await repository.units.resolve('site1', 'first')).to.deep.equal(unit);
      expect(await repository.units.resolve('site1')).to.deep.equal(second);
      expect(await repository.units.resolve(unit.unit)).to.deep.equal(unit);
    });

    it('and reads the units of a server once, however many it opens', async () => {
      for (let site = 2; site <= 30; site++) await repository.units.open(subject(`site${site}`));
      const counting = new FaultyBackend(backend);
      const { repository: next } = await openTestRepository(counting, state);
      const before = counting.calls.filter((call) => call === 'read').length;
      for (let site = 1; site <= 30; site++) await next.units.open(subject(`site${site}`));
      expect(counting.calls.filter((call) => call === 'read')).to.have.length(before + 30);
      expect(await next.units.all()).to.have.length(30);
    });

    it('and never shows an earlier customer’s unit for a living account that has none', async () => {
      expect(await failureOf(() => repository.units.resolve('site1', 'second'))).to.include({ code: 'unit_unknown' });
    });

    for (const name of ['site2', 'site', '../site1', 'site1-ffffffff', '']) {
      it(`and knows no unit ${JSON.stringify(name)}`, async () => {
        expect(await failureOf(() => repository.units.resolve(name))).to.include({ code: 'unit_unknown' });
      });
    }

    it('and reports a unit.json that was copied from another unit', async () => {
      await put(`servers/${SERVER}/units/site1-ffffffff/unit.json`, JSON.stringify(unit));
      expect(await repository.units.all()).to.deep.equal([unit]);
      expect(notices.map(({ code }) => code)).to.deep.equal(['repository_damaged']);
    });
  });

  it('opens a manifest of a place that cannot be read directly as a copy that leaves no name behind', async () => {
    const record = await storeSnapshot(repository, unit, new Date(START));
    const before = readdirSync(state);
    const manifest = await repository.openManifest(record);
    expect(manifest.read(0, manifest.size).toString()).to.equal('manifest of content');
    expect(readdirSync(state)).to.deep.equal(before);
    manifest.close();
  });

  it('refuses a manifest that is missing or has another length', async () => {
    const record = await storeSnapshot(repository, unit, new Date(START));
    const name = `servers/${SERVER}/${record.manifest.path}`;
    await put(name, 'short');
    expect(await failureOf(() => repository.openManifest(record))).to.include({ code: 'repository_damaged' });
    await backend.remove(name);
    expect(await failureOf(() => repository.openManifest(record))).to.include({ code: 'repository_damaged' });
  });

  it('keeps the records of runs, oldest first', async () => {
    const run = {
      formatVersion: 1,
      id: '20261101T030000123Z-00000001',
      repository: repository.identity.id,
      server: SERVER,
      time: '2026-11-01T03:00:00.123Z',
      finished: '2026-11-01T03:00:01Z',
      status: 'partial',
      units: [
        {
          name: 'site1',
          unit: null,
          outcome: 'failed',
          time: '2026-11-01T03:00:00.123Z',
          snapshot: null,
          warningCount: 0,
          failure: { code: 'io_error', message: 'no' },
        },
      ],
      tool: { name: 'apiscp-backup', version: '0.0.0' },
    } as const;
    const later = { ...run, id: '20261102T030000123Z-00000001' };
    await repository.runs.commit(later);
    await repository.runs.commit(run);
    await put(`servers/${SERVER}/runs/20261103T030000123Z-00000001.json`, await backend.read(`servers/${SERVER}/runs/${run.id}.json`));
    const all = await repository.runs.all();
    expect(all.map(({ log: _, ...rest }) => rest)).to.deep.equal([run, later]);
    expect(all.map(({ log }) => [log?.sequence, log?.previous?.id])).to.deep.equal([
      [2, later.id],
      [1, undefined],
    ]);
    expect(notices.map(({ code }) => code)).to.deep.equal(['repository_damaged']);
  });

  describe('and a run that is killed', () => {
    it('shows, at whatever write, every snapshot committed before, and at most leftovers besides', async () => {
      const before = await storeSnapshot(repository, unit, new Date(START));
      for (let killAt = 1; ; killAt++) {
        const faulty = new FaultyBackend(backend);
        faulty.killAt = killAt;
        const { repository: dying } = await openTestRepository(faulty, state);
        let killed = false;
        try {
          await storeSnapshot(dying, unit, new Date(START + killAt * DAY));
        } catch (error) {
          expect(error).to.be.instanceOf(Killed);
          killed = true;
        }
        const listed = await repository.snapshots(unit.unit);
        expect(listed[0]).to.deep.equal(before);
        for (const record of listed) {
          for (const object of [record.manifest, ...record.packs]) {
            expect(await repository.objectSize(object.path), object.path).to.equal(object.length);
          }
        }
        if (!killed) {
          expect(listed).to.have.length(2);
          expect(killAt).to.be.greaterThan(8);
          break;
        }
        expect(listed).to.have.length(1);
      }
      expect(notices).to.deep.equal([]);
    });
  });

  describe('and a place that fails', () => {
    for (const call of ['create', 'write', 'commit', 'abort'] as const) {
      for (const times of [1, Number.POSITIVE_INFINITY]) {
        it(`at ${call}, ${times === 1 ? 'once' : 'for ever'}: says so, never has half a snapshot, and works again afterwards`, async () => {
          const faulty = new FaultyBackend(backend);
          const { repository: failing } = await openTestRepository(faulty, state);
          faulty.fail(call, diskFull(), times);
          expect(await failureOf(() => storeSnapshot(failing, unit, new Date(START)))).to.include({ code: 'disk_full' });
          for (const record of await repository.snapshots(unit.unit)) {
            expect(await repository.objectSize(record.manifest.path)).to.equal(record.manifest.length);
          }
          const before = (await repository.snapshots(unit.unit)).length;
          await storeSnapshot(repository, unit, new Date(START + DAY));
          expect(await repository.snapshots(unit.unit)).to.have.length(before + 1);
        });
      }
    }

    for (const call of ['read', 'list'] as const) {
      it(`at ${call}: never shows fewer snapshots without a word`, async () => {
        await storeSnapshot(repository, unit, new Date(START));
        const faulty = new FaultyBackend(backend);
        const { repository: failing, notices: told } = await openTestRepository(faulty, state);
        faulty.fail(call, new Failure('io_error', 'lost'), 1);
        const listed = await failing.snapshots(unit.unit).catch((error: Failure) => error.code);
        if (typeof listed === 'string') expect(listed).to.equal('io_error');
        else expect(told.map(({ code }) => code)).to.deep.equal(['io_error']);
      });
    }
  });

  describe('finds what no record names', () => {
    async function leftovers(now: number): Promise<string[]> {
      const names: string[] = [];
      const { named, closed } = await namedObjects(repository);
      const open = (await repository.units.ids()).filter((id) => !closed.has(id));
      for await (const { name } of unreferencedObjects(repository, open, named, now)) names.push(name);
      return names.sort();
    }

    const late = () => Date.now() + SAFETY_AGE + 60_000;

    it('once it is old enough', async () => {
      await storeSnapshot(repository, unit, new Date(START));
      const pack = await repository.createPack(unit.unit, '20261102T030000123Z-00000001-0001');
      const { path } = await pack.commit();
      expect(await leftovers(Date.now())).to.deep.equal([]);
      expect(await leftovers(late())).to.deep.equal([path]);
    });

    it('but nothing of a unit while a record of it cannot be read, and nothing of others where units share packs', async () => {
      const record = await storeSnapshot(repository, unit, new Date(START));
      const other = await repository.units.open(subject('site13'));
      const kept = await storeSnapshot(repository, other, new Date(START));
      const paths: string[] = [];
      for (const each of [unit, other]) {
        const pack = await repository.createPack(each.unit, '20261102T030000123Z-00000001-0001');
        paths.push((await pack.commit()).path);
      }
      await alter(record, { formatVersion: 2 });
      expect(await leftovers(late())).to.deep.equal([paths[1]]);
      await alter(kept, { packs: record.packs });
      expect(await leftovers(late())).to.deep.equal([]);
    });

    it('and nothing of a unit whose unit.json cannot be read', async () => {
      await storeSnapshot(repository, unit, new Date(START));
      await put(`servers/${SERVER}/units/${unit.unit}/unit.json`, 'damaged');
      expect(await leftovers(late())).to.deep.equal([]);
    });
  });
});
