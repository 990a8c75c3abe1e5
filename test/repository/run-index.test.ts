import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import { newTimedId } from '../../core/repository/ids.ts';
import { runPath } from '../../core/repository/layout.ts';
import { FORMAT_VERSION } from '../../core/repository/record.ts';
import type { Repository } from '../../core/repository/repository.ts';
import { RunIndex } from '../../core/repository/run-index.ts';
import type { RunUnit } from '../../core/repository/run-record.ts';
import { openTestRepository } from './fixtures.ts';

const HOUR = 3_600_000;
const BEGIN = Date.parse('2026-03-01T00:00:00Z');

describe('the index of runs', () => {
  let state: string;
  let repository: Repository;
  let read: string[];

  beforeEach(async () => {
    state = mkdtempSync(join(tmpdir(), 'run-index-'));
    ({ repository } = await openTestRepository(new MemoryBackend(), state));
    const { runs } = repository;
    const readRecord = runs.readLinked.bind(runs);
    read = [];
    runs.readLinked = (id, onUnread) => {
      read.push(id);
      return readRecord(id, onUnread);
    };
  });

  afterEach(() => rmSync(state, { recursive: true }));

  const at = (hours: number): Date => new Date(BEGIN + hours * HOUR);
  const snapshot = { id: newTimedId(at(0)), sha256: 'a'.repeat(64) };

  async function add(hours: number, found = snapshot): Promise<string> {
    const id = newTimedId(at(hours));
    const time = at(hours).toISOString();
    const unit: RunUnit = {
      ...{ name: 'site1', unit: 'site1-00000000', outcome: 'unchanged', time, snapshot: found, warningCount: 0, failure: null },
    };
    const { identity, server } = repository;
    const made = { formatVersion: FORMAT_VERSION, id, repository: identity.id, server, time, finished: time };
    await repository.runs.commit({ ...made, status: 'ok', units: [unit], tool: { name: 'test', version: '0' } });
    return id;
  }

  async function last(hours: number, since?: number): Promise<number | undefined> {
    const index = await RunIndex.read(repository, at(hours).getTime(), since === undefined ? undefined : at(since).getTime());
    index.save();
    const time = index.witnesses.get(snapshot.sha256)?.time;
    return time === undefined ? undefined : (Date.parse(time) - BEGIN) / HOUR;
  }

  it('reads each record once, and those of before only when they are asked for', async () => {
    const ids: string[] = [];
    for (const hours of [1, 2, 3, 4]) ids.push(await add(hours));
    expect(await last(10, 3)).to.equal(4);
    expect(read).to.deep.equal(ids.slice(2));
    expect(await last(10)).to.equal(4);
    expect(read).to.have.members(ids);
    ids.push(await add(5));
    expect(await last(10)).to.equal(5);
    expect(read).to.deep.equal([...ids.slice(2, 4), ...ids.slice(0, 2), ids[4]]);
  });

  it('hides nothing behind a run that is dated in the future, also when the clock was ahead while it was indexed', async () => {
    await add(1);
    await add(2);
    await add(24 * 365);
    expect(await last(10)).to.equal(2);
    expect(await last(24 * 365 + 1)).to.equal(24 * 365);
    expect(await last(11)).to.equal(2);
    await add(12);
    expect(await last(13)).to.equal(12);
  });

  it('looks for an older witness when the record of the last one has gone', async () => {
    await add(1);
    const id = await add(2);
    expect(await last(10)).to.equal(2);
    await repository.removeObject(runPath(id));
    expect(await last(10)).to.equal(1);
  });

  it('need not be made again when the records of what is gone, too, are removed', async () => {
    const id = await add(1);
    const index = await RunIndex.read(repository, at(5).getTime());
    await repository.removeObject(runPath(id));
    index.save([id]);
    await add(2);
    await last(5);
    read = [];
    expect(await last(5)).to.equal(2);
    expect(read).to.deep.equal([]);
  });

  it('takes the run that made a snapshot for no witness of it', async () => {
    await add(0);
    expect(await last(10)).to.equal(undefined);
  });

  for (const text of ['', '{', 'null', '{}', '{"runs":[1],"witnesses":{}}', '{"runs":[],"witnesses":{"a":{"run":1}}}']) {
    it(`is made again when it reads ${JSON.stringify(text)}`, async () => {
      await add(1);
      writeFileSync(join(repository.stateFolder, 'runs.json'), text);
      expect(await last(10)).to.equal(1);
    });
  }

  it('does without a state that cannot be written', async () => {
    await add(1);
    rmSync(state, { recursive: true });
    writeFileSync(state, '');
    expect(await last(10)).to.equal(1);
    expect(await last(10)).to.equal(1);
  });
});
