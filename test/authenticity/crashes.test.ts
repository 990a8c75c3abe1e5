import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import { missingRuns } from '../../core/repository/history/missing.ts';
import { newTimedId } from '../../core/repository/ids.ts';
import type { Repository } from '../../core/repository/repository.ts';
import { RunIndex } from '../../core/repository/run-index.ts';
import type { RunRecord } from '../../core/repository/run-record.ts';
import { FaultyBackend, Killed } from '../repository/faulty-backend.ts';
import { openTestRepository, SERVER } from '../repository/fixtures.ts';

const BEGIN = Date.parse('2026-11-01T03:00:00Z');

function runAt(repository: Repository, hours: number): RunRecord {
  const time = new Date(BEGIN + hours * 3_600_000);
  const head = { formatVersion: 1, id: newTimedId(time), repository: repository.identity.id, server: SERVER };
  const when = { time: time.toISOString(), finished: time.toISOString() };
  return { ...head, ...when, status: 'ok', units: [], tool: { name: 'apiscp-backup', version: '0' } };
}

describe('the log of runs', () => {
  let folder: string;
  let state: string;
  let backend: MemoryBackend;
  let opened: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-'));
    state = join(folder, 'state');
    backend = new MemoryBackend();
    opened = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** As another process opens it. */
  async function open(): Promise<Repository> {
    opened++;
    return (await openTestRepository(backend, state)).repository;
  }

  /** Nothing is missed; the numbers of all records, by their ids. */
  async function expectWhole(): Promise<number[]> {
    const repository = await open();
    expect(await repository.runs.missing()).to.equal(undefined);
    const index = await RunIndex.read(repository, Date.parse('2100-01-01T00:00:00Z'));
    expect(await missingRuns(repository, index)).to.deep.equal([]);
    return (await repository.runs.all()).map(({ log }) => log?.sequence ?? 0);
  }

  it('raises no alarm when a run is killed at whatever write of its record, and goes on', async () => {
    await (await open()).runs.commit(runAt(await open(), 0));
    for (let killAt = 1; ; killAt++) {
      const faulty = new FaultyBackend(backend);
      faulty.killAt = killAt;
      const { repository: dying } = await openTestRepository(faulty, state);
      const ended = await dying.runs.commit(runAt(dying, killAt)).then(
        () => true,
        (error) => {
          if (!(error instanceof Killed)) throw error;
          return false;
        },
      );
      await expectWhole();
      await (await open()).runs.commit(runAt(dying, killAt + 0.5));
      const sequences = await expectWhole();
      expect(
        [...sequences].sort((a, b) => a - b),
        'in the order of time',
      ).to.deep.equal(sequences);
      expect(new Set(sequences).size).to.equal(sequences.length);
      if (ended) break;
    }
    expect(opened).to.be.greaterThan(6);
  });

  it('raises no alarm with a state of any earlier moment, such as that of a crash behind a record, and goes on behind what is there', async () => {
    const repository = await open();
    const create = backend.create.bind(backend);
    backend.create = (name) => {
      cpSync(state, join(folder, `state-before-${name.replaceAll('/', '-')}`), { recursive: true });
      return create(name);
    };
    for (let hours = 0; hours < 4; hours++) {
      await repository.runs.commit(runAt(repository, hours));
      cpSync(state, join(folder, `state-${hours}`), { recursive: true });
    }
    backend.create = create;
    const earlier = readdirSync(folder).filter((name) => name.startsWith('state-'));
    expect(earlier).to.have.length(8);
    for (const [number, name] of earlier.entries()) {
      rmSync(state, { recursive: true });
      cpSync(join(folder, name), state, { recursive: true });
      await expectWhole();
      await (await open()).runs.commit(runAt(repository, 4 + number));
      const sequences = await expectWhole();
      expect(new Set(sequences).size).to.equal(sequences.length);
    }
  });

  it('goes on with a greater number when nothing is known any more, or a clock went back', async () => {
    const repository = await open();
    for (const hours of [10, 2, 6]) await repository.runs.commit(runAt(repository, hours));
    expect(await expectWhole()).to.deep.equal([2, 3, 1]);
    rmSync(join(state, 'seen'), { recursive: true });
    await (await open()).runs.commit(runAt(repository, 7));
    expect(await expectWhole()).to.deep.equal([2, 3, 4, 1]);
  });
});
