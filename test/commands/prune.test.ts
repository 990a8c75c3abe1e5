import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ChainIndex } from '../../core/chain/chain-index.ts';
import type { Level } from '../../core/chain/snapshot.ts';
import { pruneRepository } from '../../core/commands/prune.ts';
import { defaultSettings } from '../../core/config/defaults.ts';
import type { Settings } from '../../core/config/settings.ts';
import type { Notice } from '../../core/context/notice.ts';
import { Failure } from '../../core/failure.ts';
import type { Backend } from '../../core/repository/backends/backend.ts';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import { addHold } from '../../core/repository/holds.ts';
import type { UnitIdentity } from '../../core/repository/identity.ts';
import { newTimedId } from '../../core/repository/ids.ts';
import { runPath, snapshotPath } from '../../core/repository/layout.ts';
import { FORMAT_VERSION, type ObjectReference, type SnapshotRecord } from '../../core/repository/record.ts';
import type { Repository } from '../../core/repository/repository.ts';
import type { PruneRequest, PruneResult } from '../../core/schemas/prune.ts';
import { chainSnapshots } from '../../core/timeline/chain-snapshots.ts';
import { failureOf } from '../failure-of.ts';
import { FaultyBackend, Killed } from '../repository/faulty-backend.ts';
import { openTestRepository, subject } from '../repository/fixtures.ts';

const DAY = 86_400_000;
/** Younger than real objects are, so that nothing is old enough to be swept for its age. */
const NOW = Date.parse('2026-01-20T12:00:00Z');
const KEEP_TWO_DAYS = { levels: { incremental: '2 days', full: '2 days' }, guardShare: 1 };

function daysAgo(days: number): Date {
  return new Date(NOW - days * DAY);
}

async function store(
  write: Promise<import('../../core/repository/object-output.ts').ObjectOutput>,
  text: string,
): Promise<ObjectReference> {
  const output = await write;
  await output.write(Buffer.from(text));
  return output.commit();
}

describe('prune', () => {
  let state: string;
  let backend: MemoryBackend;
  let repository: Repository;
  let unit: UnitIdentity;
  let chain: SnapshotRecord[];
  let log: Notice[];

  beforeEach(async () => {
    state = mkdtempSync(join(tmpdir(), 'prune-'));
    log = [];
    backend = new MemoryBackend();
    repository = (await openTestRepository(backend, state)).repository;
    unit = await repository.units.open(subject('site1'));
    chain = [];
  });

  afterEach(() => rmSync(state, { recursive: true }));

  /** Adds a snapshot on top of the last one, with a pack of its own and those that it shares. */
  async function add(level: Level, time: Date, shared: readonly ObjectReference[] = []): Promise<SnapshotRecord> {
    const id = newTimedId(time);
    const pack = await store(repository.createPack(unit.unit, `${id}-0001`), `pack of ${id}`);
    const manifest = await store(repository.createManifest(unit.unit, id), `manifest of ${id}`);
    const link = (record: SnapshotRecord) => ({ id: record.id, sha256: repository.recordDigest(record) });
    const last = chain.at(-1);
    const isFull = level === 'full' || last === undefined;
    const base = isFull ? null : last.level === 'full' ? link(last) : last.base;
    const record: SnapshotRecord = {
      ...{ formatVersion: FORMAT_VERSION, id, repository: repository.identity.id, server: repository.server },
      ...{ unit: unit.unit, name: unit.name, level, synthetic: false, reason: 'test' },
      ...{ time: time.toISOString(), finished: time.toISOString(), parent: isFull ? null : link(last), base },
      roots: [],
      ...{ counts: { entries: 1, changed: 1, deleted: 0 }, bytes: { total: 1, read: 1, stored: 1 } },
      manifest: { ...manifest, index: { offset: 0, length: 4, sha256: '0'.repeat(64) } },
      packs: [pack, ...shared],
      ...{ warnings: [], warningCount: 0, exporters: [], tool: { name: 'test', version: '0' } },
    };
    await repository.commitRecord(record);
    chain.push(record);
    return record;
  }

  /** A full and two incrementals of some days ago, then a full of today that shares a pack with the first. */
  async function history(): Promise<void> {
    const old = await add('full', daysAgo(5));
    await add('incremental', daysAgo(4));
    await add('incremental', daysAgo(3));
    await add('full', daysAgo(0), [old.packs[0] as ObjectReference]);
  }

  async function objects(of: Backend = backend): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of of.list('servers/')) names.push(name.slice(name.indexOf('/', 'servers/'.length) + 1));
    return names.sort();
  }

  function context(retention: Settings['retention'], now = NOW) {
    const reporter = { progress: () => {}, log: (line: Notice) => void log.push(line) };
    return { settings: { ...defaultSettings(), retention }, reporter, now: () => new Date(now), signal: new AbortController().signal };
  }

  function prune(
    request: PruneRequest = {},
    retention: Settings['retention'] = KEEP_TWO_DAYS,
    { from = repository, now = NOW, lock = () => {} }: { from?: Repository; now?: number; lock?: (name: string) => void } = {},
  ): Promise<PruneResult> {
    return pruneRepository(request, from, context(retention, now), lock);
  }

  it('deletes records, manifests and packs that nothing else needs, and says by which rule', async () => {
    await history();
    const result = await prune();
    const [full, first, second, last] = chain as [SnapshotRecord, SnapshotRecord, SnapshotRecord, SnapshotRecord];
    expect(result).to.include({ status: 'ok', objects: 5, runs: 0, holds: 0 });
    const snapshots = result.units[0]!.snapshots.map(({ id, keep, rules }) => [id, keep, rules]);
    expect(snapshots).to.deep.equal([
      [full.id, false, ['full older than 2 days']],
      [first.id, false, ['incremental older than 2 days']],
      [second.id, false, ['incremental older than 2 days']],
      [last.id, true, ['full younger than 2 days', 'newest good snapshot', 'newest good full']],
    ]);
    const kept = [...last.packs, full.packs[0]!].map(({ path }) => path);
    const expected = [`units/${unit.unit}/unit.json`, snapshotPath(unit.unit, last.id), last.manifest.path, ...kept];
    expect(await objects()).to.deep.equal([...new Set(expected)].sort());
    expect(readdirSync(state)).to.deep.equal(['kept', 'signing', 'trusted']);
  });

  it('a dry run says the same and changes nothing', async () => {
    await history();
    const before = await objects();
    const foreseen = await prune({ dryRun: true });
    expect(await objects()).to.deep.equal(before);
    expect(existsSync(join(state, 'prune.json'))).to.equal(false);
    const done = await prune();
    expect({ ...foreseen, dryRun: false }).to.deep.equal(done);
    expect(done.bytes).to.be.greaterThan(0);
  });

  it('keeps everything when no retention is set', async () => {
    await history();
    const before = await objects();
    expect(await prune({}, { guardShare: 0 })).to.include({ objects: 0 });
    expect(await objects()).to.deep.equal(before);
  });

  it('deletes nothing of a unit of which more would go than the safety limit, until it is confirmed, and the others’ all the same', async () => {
    const policy = { ...KEEP_TWO_DAYS, guardShare: 0.5 };
    await add('full', daysAgo(16));
    for (let day = 15; day > 6; day--) await add('incremental', daysAgo(day));
    await add('full', daysAgo(0));
    const refused = await objects();
    unit = await repository.units.open(subject('site2'));
    chain = [];
    await add('full', daysAgo(5));
    await add('full', daysAgo(0));
    const foreseen = (await prune({ dryRun: true }, policy)).units.map(({ status, deleted }) => [status, deleted]);
    expect(foreseen).to.deep.equal([
      ['refused', 10],
      ['ok', 1],
    ]);
    const result = await prune({}, policy);
    expect(result).to.include({ status: 'partial', objects: 2 });
    expect(result.units[0]).to.include({ status: 'refused', needsConfirmation: true, deleted: 0, kept: 11 });
    expect(result.units[0]!.refusedSince).to.match(/^2026-01/);
    expect(result.units[1]).to.include({ status: 'ok', deleted: 1 });
    expect(await objects()).to.include.members(refused);
    expect((await prune({ yes: true }, policy)).units[0]).to.include({ kept: 1, deleted: 10 });
  });

  for (const isStateLost of [false, true]) {
    it(`what was refused stays so, however many snapshots come after it${isStateLost ? ', also when the state is lost' : ''}`, async () => {
      const policy = { keepDaily: 30, guardShare: 0.5 };
      for (let day = 100; day > 94; day--) await add('full', daysAgo(day));
      for (let night = 10; night >= 0; night--) {
        await add('full', daysAgo(night));
        const { units } = await prune({}, policy, { now: NOW - night * DAY + 3_600_000 });
        expect(units[0], `night ${night}`).to.include({ status: 'refused', deleted: 0 });
        if (isStateLost) rmSync(join(state, 'refused-deletions.json'));
        if (night < 9) expect(Date.parse(units[0]!.refusedSince as string)).to.be.below(daysAgo(8).getTime());
      }
      expect((await prune({ yes: true }, policy)).units[0]).to.include({ status: 'ok', deleted: 6 });
      expect((await prune({}, policy)).units[0]).to.include({ status: 'ok', deleted: 0 });
    });
  }

  it('deletes nothing by a clock that has jumped ahead, and does when there were backups for a day (case 37)', async () => {
    for (const day of [4, 3, 2, 1, 0]) await add('full', daysAgo(day));
    const policy = { keepDaily: 4, guardShare: 0.5 };
    for (const jump of [7, 365]) {
      const { units } = await prune({}, policy, { now: NOW + jump * DAY });
      expect(units[0], `${jump} days`).to.include({ status: 'refused', deleted: 0 });
    }
    expect((await prune({}, policy)).units[0]).to.include({ status: 'ok', deleted: 1 });
    await add('full', daysAgo(-30));
    await add('full', daysAgo(-31));
    expect((await prune({}, policy, { now: NOW + 31 * DAY + 3_600_000 })).units[0]).to.include({ status: 'ok', deleted: 4 });
  });

  it('stops between two removals when it is told to, and the next one goes on', async () => {
    await history();
    const controller = new AbortController();
    const { repository: stopped } = await openTestRepository(backend, state);
    stopped.removeObject = (path) => {
      controller.abort();
      return repository.removeObject(path);
    };
    const stoppable = { ...context(KEEP_TWO_DAYS), signal: controller.signal };
    expect(await failureOf(() => pruneRepository({}, stopped, stoppable, () => {}))).to.include({ code: 'cancelled' });
    expect(await repository.snapshots(unit.unit)).to.have.length(3);
    expect((await prune()).units[0]).to.include({ kept: 1, deleted: 2 });
    expect(await objects()).to.have.length(5);
  });

  it('reads every record once, and heeds one that is committed after a unit was decided', async () => {
    await history();
    const shared = (chain[1] as SnapshotRecord).packs[0] as ObjectReference;
    const first = unit;
    unit = await repository.units.open(subject('site2'));
    const other = unit;
    const { id } = await add('full', daysAgo(0));
    const { repository: counting } = await openTestRepository(backend, state);
    const read: string[] = [];
    const readSnapshot = counting.readSnapshot.bind(counting);
    counting.readSnapshot = async (of, path) => {
      read.push(path);
      if (path === snapshotPath(other.unit, id)) {
        unit = first;
        await add('full', daysAgo(0), [shared]);
      }
      return readSnapshot(of, path);
    };
    expect((await prune({}, KEEP_TWO_DAYS, { from: counting })).units[0]).to.include({ deleted: 3 });
    const late = chain.at(-1) as SnapshotRecord;
    expect(read).to.have.length(6).and.to.include(snapshotPath(first.unit, late.id));
    expect(new Set(read).size).to.equal(6);
    expect(await objects()).to.include(shared.path);
  });

  it('does not touch a unit that is being restored', async () => {
    await history();
    const before = await objects();
    const busy = () => {
      throw new Failure('locked', 'site1 is in use by restore');
    };
    const result = await prune({}, KEEP_TWO_DAYS, { lock: busy });
    expect(result.status).to.equal('partial');
    expect(result.units[0]).to.include({ status: 'skipped', reason: 'site1 is in use by restore' });
    expect(log.map(({ code }) => code)).to.deep.equal(['locked']);
    expect(await objects()).to.deep.equal(before);
  });

  it('deletes nothing of a unit while a record of it cannot be read: nobody knows what it needs; the others go on', async () => {
    await history();
    const other = await repository.units.open(subject('site2'));
    const bad = await backend.create(`servers/${repository.server}/${snapshotPath(other.unit, newTimedId(daysAgo(1)))}`);
    await bad.write(Buffer.from('{'));
    await bad.commit();
    const ofOther = async () => (await objects()).filter((path) => path.includes(other.unit));
    const before = await ofOther();
    const planned = await prune({ dryRun: true });
    const { status, units, ...removed } = await prune();
    expect(status).to.equal('partial');
    expect(units.map((each) => each.status)).to.deep.equal(['ok', 'skipped']);
    expect(units[0]?.deleted).to.be.greaterThan(0);
    expect(units[1]?.reason).to.include('nobody knows which objects');
    expect(planned).to.deep.include({ status, units, ...removed, dryRun: true });
    expect(await ofOther()).to.deep.equal(before);
    expect([...new Set(log.map(({ code }) => code))]).to.deep.equal(['repository_damaged']);
  });

  it('knows units by name, all their incarnations, and by id', async () => {
    await history();
    const again = await repository.units.open(subject('site1', 'second'));
    const ids = async (units: string[]) => (await prune({ units, dryRun: true })).units.map(({ unitId }) => unitId).sort();
    expect(await ids(['site1'])).to.deep.equal([unit.unit, again.unit].sort());
    expect(await ids([again.unit])).to.deep.equal([again.unit]);
    expect(await failureOf(() => prune({ units: ['site9'] }))).to.include({ code: 'unit_unknown' });
  });

  it('keeps a held snapshot and what it needs, also when the hold cannot be read, until the hold ends', async () => {
    await history();
    const [full, first, second] = chain as [SnapshotRecord, SnapshotRecord, SnapshotRecord];
    const made = { formatVersion: FORMAT_VERSION, repository: repository.identity.id, server: repository.server, unit: unit.unit };
    const hold = { ...made, snapshot: first.id, reason: 'court', expires: daysAgo(-5).toISOString(), created: daysAgo(0).toISOString() };
    await addHold(repository, hold);
    const verdicts = async (now = NOW) => {
      const { units } = await prune({ dryRun: true }, KEEP_TWO_DAYS, { now });
      return new Map(units[0]!.snapshots.map(({ id, keep, rules }) => [id, keep ? rules.join(', ') : 'goes']));
    };
    expect((await verdicts()).get(first.id)).to.equal('held: court');
    expect((await verdicts()).get(full.id)).to.equal(`needed by ${first.id}`);
    expect((await verdicts()).get(second.id)).to.equal('goes');
    expect((await verdicts(NOW + 6 * DAY)).get(first.id)).to.equal('goes');

    await addHold(repository, { ...hold, reason: 'audit', expires: null });
    expect(await objects()).to.include.members([`holds/${first.id}-0001.json`, `holds/${first.id}-0002.json`]);
    expect((await verdicts(NOW + 6 * DAY)).get(first.id)).to.equal('held: audit');
    expect(await prune({ yes: true }, KEEP_TWO_DAYS, { now: NOW + 6 * DAY })).to.include({ holds: 1 });
    expect(await objects()).not.to.include(`holds/${first.id}-0001.json`);

    await repository.removeObject(`holds/${first.id}-0002.json`);
    expect((await verdicts()).get(first.id)).to.equal('goes');
    const bad = await backend.create(`servers/${repository.server}/holds/${first.id}-0007.json`);
    await bad.write(Buffer.from('no JSON'));
    await bad.commit();
    expect((await verdicts()).get(first.id)).to.match(/^held: /);
  });

  it('keeps a snapshot that runs found unchanged as long as if it were taken then, and the records that say so', async () => {
    await history();
    const last = chain.at(-1) as SnapshotRecord;
    const link = { id: last.id, sha256: repository.recordDigest(last) };
    const runs: string[] = [];
    for (const days of [-10, -40, -90, -91]) {
      const time = daysAgo(days).toISOString();
      const id = newTimedId(daysAgo(days));
      const entry = { name: 'site1', unit: unit.unit, outcome: 'unchanged', time, snapshot: link, warningCount: 0, failure: null } as const;
      const units = days === -91 ? [{ ...entry, outcome: 'failed', snapshot: null, unit: null } as const] : [entry];
      const tool = { name: 'test', version: '0' };
      const { identity, server } = repository;
      const made = { formatVersion: FORMAT_VERSION, id, repository: identity.id, server, time, finished: time };
      await repository.runs.commit({ ...made, status: 'ok', units, tool });
      runs.push(runPath(id));
    }
    const result = await prune({ yes: true }, KEEP_TWO_DAYS, { now: NOW + 91 * DAY });
    expect(result.units[0]!.snapshots.at(-1)!.rules).to.include('full younger than 2 days');
    expect(result.runs).to.equal(1);
    expect((await objects()).filter((name) => name.startsWith('runs/'))).to.deep.equal(runs.slice(1));
    expect((await prune({ yes: true }, KEEP_TWO_DAYS, { now: NOW + 900 * DAY })).runs).to.equal(1);
    expect((await objects()).filter((name) => name.startsWith('runs/'))).to.deep.equal(runs.slice(2));
  });

  describe('killed at any change', () => {
    /** What is there has all that it needs, and what goes last is there as long as what goes before it. */
    async function expectWhole(): Promise<void> {
      const records = await repository.snapshots(unit.unit);
      const chains = new ChainIndex(chainSnapshots(records, repository));
      for (const { id, manifest, packs } of records) {
        expect(chains.isComplete(id), id).to.equal(true);
        for (const { path, length } of [manifest, ...packs]) expect(await repository.objectSize(path), path).to.equal(length);
      }
      const there = await objects();
      for (const { manifest, packs } of chain) {
        if (there.includes(manifest.path)) expect(there).to.include.members(packs.map(({ path }) => path));
      }
    }

    for (const isStateLost of [false, true]) {
      it(`is finished by the next prune${isStateLost ? ', also when the state is lost, once the leftovers are old enough' : ''}`, async () => {
        await history();
        const all = new Map<string, Buffer>();
        for await (const { name } of backend.list('servers/')) all.set(name, await backend.read(name));
        await prune();
        const expected = await objects();
        for (let killAt = 1; ; killAt++) {
          for (const [name, bytes] of all) {
            if ((await backend.size(name)) !== undefined) continue;
            const writer = await backend.create(name);
            await writer.write(bytes);
            await writer.commit();
          }
          const faulty = new FaultyBackend(backend);
          faulty.killAt = killAt;
          const { repository: dying } = await openTestRepository(faulty, state);
          const killed = await prune({}, KEEP_TWO_DAYS, { from: dying }).then(
            () => false,
            (error) => {
              if (!(error instanceof Killed)) throw error;
              return true;
            },
          );
          await expectWhole();
          if (!killed) {
            expect(killAt).to.be.greaterThan(8);
            break;
          }
          if (isStateLost) rmSync(join(state, 'prune.json'));
          // The memory's objects are as old as this test.
          const now = isStateLost ? Date.now() + 2 * DAY : NOW;
          // The clock of this test jumps by months.
          await prune({ yes: true }, KEEP_TWO_DAYS, { now });
          expect(await objects(), `killed at ${killAt}`).to.deep.equal(expected);
        }
      });
    }

    it('a file of intentions that makes no sense is as good as none', async () => {
      await history();
      const before = await objects();
      for (const text of ['', '{', '[]', 'null', '{"objects":[1,null,"units/site1"]}', JSON.stringify({ objects: before })]) {
        writeFileSync(join(state, 'prune.json'), text);
        await prune({}, { guardShare: 1 });
        expect(await objects()).to.deep.equal(before);
        expect(existsSync(join(state, 'prune.json'))).to.equal(false);
      }
    });

    it('a failing removal is told and the next prune goes on', async () => {
      await history();
      const faulty = new FaultyBackend(backend);
      const { repository: failing } = await openTestRepository(faulty, state);
      faulty.fail('remove', new Failure('io_error', 'lost'), 1);
      expect(await failureOf(() => prune({}, KEEP_TWO_DAYS, { from: failing }))).to.include({ code: 'io_error' });
      expect(JSON.parse(readFileSync(join(state, 'prune.json'), 'utf8')).objects).to.have.length(5);
      expect(await prune({}, KEEP_TWO_DAYS, { from: failing })).to.include({ objects: 5 });
    });
  });
});
