import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Copied } from '../../core/copy/copied.ts';
import { copyServer } from '../../core/copy/copy-server.ts';
import type { Backend } from '../../core/repository/backends/backend.ts';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import { newTimedId } from '../../core/repository/ids.ts';
import { placeOf } from '../../core/repository/opened-place.ts';
import { copyIdentity } from '../../core/repository/place.ts';
import { FORMAT_VERSION } from '../../core/repository/record.ts';
import { Repository } from '../../core/repository/repository.ts';
import { RunIndex } from '../../core/repository/run-index.ts';
import { FaultyBackend, Killed } from '../repository/faulty-backend.ts';
import { openTestRepository, SERVER, storeSnapshot, subject } from '../repository/fixtures.ts';

const DAY = 86_400_000;

describe('a copy', () => {
  let state: string;
  let source: Repository;
  let from: MemoryBackend;

  before(async () => {
    state = mkdtempSync(join(tmpdir(), 'copy-'));
    from = new MemoryBackend();
    ({ repository: source } = await openTestRepository(from, join(state, 'who')));
    for (const name of ['site1', 'site2']) {
      const unit = await source.units.open(subject(name));
      for (let day = 2; day > 0; day--) await storeSnapshot(source, unit, new Date(Date.now() - day * DAY), `${name} ${day}`);
    }
    const units = await Promise.all(
      (await source.units.ids()).map(async (unit) => ({ unit, newest: (await source.snapshots(unit)).at(-1) })),
    );
    const time = new Date().toISOString();
    await source.runs.commit({
      ...{
        formatVersion: FORMAT_VERSION,
        id: newTimedId(new Date()),
        repository: source.identity.id,
        server: SERVER,
        time,
        finished: time,
      },
      status: 'ok',
      units: units.map(({ unit, newest }) => ({
        ...{ name: unit.split('-')[0] as string, unit, outcome: 'ok', time, warningCount: 0, failure: null },
        snapshot: newest === undefined ? null : { id: newest.id, sha256: source.recordDigest(newest) },
      })),
      tool: { name: 'apiscp-backup', version: '0.0.0' },
    });
  });
  after(() => rmSync(state, { recursive: true }));

  let count = 0;
  async function openTarget(backend: Backend): Promise<Repository> {
    const { identity: repository } = await copyIdentity(backend, source.identity);
    const stateFolder = join(state, 'who/copies', `c${++count}`);
    return new Repository(placeOf({ backend, repository, stateFolder, whoFolder: join(state, 'who'), notify: () => {} }), SERVER);
  }

  async function copyTo(target: Repository): Promise<Copied> {
    const copied = new Copied();
    const runs = await RunIndex.read(source, Date.now());
    const order = { rules: undefined, runs, throttle: <T>(writer: T) => writer, signal: new AbortController().signal };
    await copyServer(source, target, { ...order, begin: async () => () => {} }, copied);
    return copied;
  }

  const namesOf = async (backend: Backend) => {
    const names: string[] = [];
    for await (const { name } of backend.list('')) names.push(name);
    return names.sort();
  };

  it('misses nothing that a prune of the repository took away meanwhile', async () => {
    const backend = new MemoryBackend();
    const target = await openTarget(backend);
    const pruned = new MemoryBackend();
    for (const name of await namesOf(from)) {
      const writer = await pruned.create(name, 'new');
      await writer.write(await from.readWhole(name, 1e9));
      await writer.commit();
    }
    const reader = new Repository({ ...source.place, backend: pruned }, SERVER);
    const copied = new Copied();
    const runs = await RunIndex.read(reader, Date.now());
    const names = await namesOf(pruned);
    // All that a prune may delete: the older snapshots, the run that named them, what was noted.
    const old = names.filter((name) => /\/runs\//.test(name)).concat(names.filter((name) => /\/units\/site2-/.test(name)));
    let isPruned = false;
    const begin = async () => {
      for (const name of isPruned ? [] : old) await pruned.remove(name);
      isPruned = true;
      return () => {};
    };
    const order = { rules: undefined, runs, throttle: <T>(writer: T) => writer, signal: new AbortController().signal };
    await copyServer(reader, target, { ...order, begin }, copied);
    expect(copied.problems).to.deep.equal([]);
    expect((await namesOf(backend)).filter((name) => name.startsWith('servers/'))).to.deep.equal(
      (await namesOf(pruned)).filter((name) => name.startsWith('servers/')),
    );
  });

  it('that is broken off anywhere shows nothing of which a part is missing, and goes on from there', async () => {
    let isWhole = false;
    for (let killAt = 1; !isWhole; killAt++) {
      const backend = new MemoryBackend();
      const faulty = new FaultyBackend(backend);
      const target = await openTarget(faulty);
      faulty.killAt = faulty.changes + killAt;
      const copied = await copyTo(target).catch((error: unknown) => {
        expect(error, `${killAt}`).to.be.instanceOf(Killed);
        return undefined;
      });
      isWhole = copied !== undefined;
      const looking = await openTarget(backend);
      const seen = new Set<string>();
      for (const unit of await looking.units.ids()) {
        for (const record of await looking.snapshots(unit)) {
          seen.add(record.id);
          for (const { path, length } of [record.manifest, ...record.packs]) expect(await looking.objectSize(path), path).to.equal(length);
        }
      }
      for (const { units } of await looking.runs.all()) for (const { snapshot } of units) expect(seen).to.include(snapshot?.id);
      const before = (await namesOf(backend)).length;
      const rest = await copyTo(looking);
      expect(await namesOf(backend)).to.deep.equal(await namesOf(from));
      expect(rest.problems).to.deep.equal([]);
      expect(rest.objects, 'sent again').to.equal((await namesOf(backend)).length - before);
    }
  });
});
