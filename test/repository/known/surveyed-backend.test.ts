import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Failure } from '../../../core/failure.ts';
import { CountingBackend } from '../../../core/repository/backends/counting-store.ts';
import type { MemoryBackend } from '../../../core/repository/backends/memory.ts';
import { operate } from '../../../core/repository/backends/operation.ts';
import { type RequestKind, Traffic } from '../../../core/repository/backends/traffic.ts';
import { ChangeCount } from '../../../core/repository/known/change-count.ts';
import { ObjectCache } from '../../../core/repository/known/object-cache.ts';
import { SurveyedBackend } from '../../../core/repository/known/surveyed-backend.ts';
import { failureOf } from '../../failure-of.ts';
import { OrderedBackend } from './ordered-backend.ts';

const SERVER = 'servers/s1';
const UNIT = `${SERVER}/units/site1-00000001`;

describe('what is known of a distant place', () => {
  let memory: OrderedBackend;
  let folder: string;
  let traffic: Traffic;

  beforeEach(async () => {
    memory = new OrderedBackend();
    folder = mkdtempSync(join(tmpdir(), 'known-'));
    traffic = new Traffic();
    for (const name of ['a.json', 'keys/k.json', 'runs/r1.json', 'runs/r2.json']) await store(memory, `${SERVER}/${name}`, name);
    for (const name of ['packs/1', 'packs/2', 'packs/3', 'snapshots/1.json', 'unit.json']) await store(memory, `${UNIT}/${name}`, name);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function store(backend: Pick<MemoryBackend, 'create'>, name: string, text: string): Promise<void> {
    const writer = await backend.create(name);
    await writer.write(Buffer.from(text));
    await writer.commit();
  }

  const cacheFolder = () => join(folder, 'cache');
  const open = () => new SurveyedBackend(new CountingBackend(memory), new ChangeCount(folder), new ObjectCache(cacheFolder()));
  const count = (kind: RequestKind) => traffic.stats.byKind[kind];
  const counted = <T>(action: () => Promise<T>) => operate({ traffic, signal: new AbortController().signal, notify: () => {} }, action);
  const namesOf = async (backend: SurveyedBackend, prefix: string) => {
    const names: string[] = [];
    for await (const { name } of backend.list(prefix)) names.push(name);
    return names.sort();
  };

  /** Asks everything there is of both places, and compares. */
  async function isTheSame(backend: SurveyedBackend): Promise<void> {
    for (const prefix of [
      `${SERVER}/`,
      `${SERVER}/runs/`,
      `${SERVER}/run`,
      `${UNIT}/`,
      `${UNIT}/packs/`,
      `${UNIT}/snapshots/`,
      'servers/',
      'x',
    ]) {
      expect(await namesOf(backend, prefix), prefix).to.deep.equal(await namesOf(memory as unknown as SurveyedBackend, prefix));
    }
    for (const place of [SERVER, `${SERVER}/units`, UNIT, `${UNIT}/packs`, 'servers', `${SERVER}/none`]) {
      expect((await backend.folders(place)).sort(), place).to.deep.equal((await memory.folders(place)).sort());
    }
    for (const name of [
      `${SERVER}/a.json`,
      `${UNIT}/unit.json`,
      `${UNIT}/packs/2`,
      `${UNIT}/packs/9`,
      `${SERVER}/z.json`,
      'repository.json',
    ]) {
      expect(await backend.size(name), name).to.equal(await memory.size(name));
    }
  }

  it('is what is there, in whole pages and in parts, in any order, and after what was stored and removed here', async () => {
    for (const pageLength of [1, 3, 4, 7, 100, undefined]) {
      for (const isWhole of [true, false]) {
        memory.pageLength = pageLength;
        const backend = open();
        if (isWhole) backend.expectAll(SERVER);
        await isTheSame(backend);
        await store(backend, `${UNIT}/packs/25`, 'new');
        await store(backend, `${SERVER}/units/site2-00000002/unit.json`, 'new');
        await backend.remove(`${UNIT}/packs/2`);
        await isTheSame(backend);
        await store(backend, `${UNIT}/packs/2`, 'packs/2');
        await backend.remove(`${UNIT}/packs/25`);
        await backend.remove(`${SERVER}/units/site2-00000002/unit.json`);
        await isTheSame(backend);
      }
    }
  });

  it('is asked for once', async () => {
    const backend = open();
    backend.expectAll(SERVER);
    await counted(() => isTheSame(backend));
    // What lies outside of a server's folder is asked for each time.
    expect(traffic.stats.byKind).to.deep.include({ size: 1, list: 4 });
  });

  it('is forgotten when another process changes something, or an object is not there after all', async () => {
    const [one, other] = [open(), open()];
    expect(await namesOf(one, `${UNIT}/snapshots/`)).to.have.length(1);
    await store(other, `${UNIT}/snapshots/2.json`, 'two');
    expect(await namesOf(one, `${UNIT}/snapshots/`)).to.have.length(2);
    await other.remove(`${UNIT}/snapshots/2.json`);
    expect(await one.size(`${UNIT}/snapshots/2.json`)).to.equal(undefined);
    // Somebody else, of whom nobody here knows.
    await memory.remove(`${UNIT}/packs/1`);
    expect(await failureOf(() => one.read(`${UNIT}/packs/1`, 0, 1))).to.include({ code: 'repository_damaged' });
    expect(await one.size(`${UNIT}/packs/1`)).to.equal(undefined);
  });

  it('has documents, each read once, and never one that is gone or of another length', async () => {
    const name = `${UNIT}/snapshots/1.json`;
    const read = (backend: SurveyedBackend) => counted(async () => (await backend.readWhole(name, 100)).toString());
    expect(await read(open())).to.equal('snapshots/1.json');
    expect(await read(open())).to.equal('snapshots/1.json');
    expect(count('read')).to.equal(1);
    await memory.remove(name);
    expect(await failureOf(() => read(open()))).to.include({ code: 'repository_damaged' });
    await store(memory, name, 'another');
    expect(await read(open())).to.equal('another');
    expect(await failureOf(() => open().readWhole(name, 3))).to.include({ code: 'repository_damaged' });
  });

  it('has what was stored here without reading it', async () => {
    await store(open(), `${SERVER}/runs/r3.json`, 'three');
    expect((await counted(() => open().readWhole(`${SERVER}/runs/r3.json`, 100))).toString()).to.equal('three');
    expect(count('read')).to.equal(0);
  });

  it('takes no copy that was changed, cut or moved, and keeps them from everybody else', async () => {
    const names = [`${SERVER}/runs/r1.json`, `${SERVER}/runs/r2.json`];
    for (const name of names) await open().readWhole(name, 100);
    expect(statSync(cacheFolder()).mode & 0o077).to.equal(0);
    const files = readdirSync(cacheFolder()).flatMap((shard) =>
      readdirSync(join(cacheFolder(), shard)).map((file) => join(cacheFolder(), shard, file)),
    );
    const [first, second] = files as [string, string];
    expect(statSync(first).mode & 0o077).to.equal(0);
    const stored = readFileSync(first);
    const changes = [
      Buffer.concat([stored.subarray(0, -1), Buffer.from('!')]),
      stored.subarray(0, -1),
      readFileSync(second),
      Buffer.alloc(0),
    ];
    for (const [index, bytes] of changes.entries()) {
      writeFileSync(first, bytes);
      for (const name of names)
        expect((await counted(() => open().readWhole(name, 100))).toString()).to.equal(name.slice(SERVER.length + 1));
      expect(count('read'), `change ${index}`).to.equal(index + 1);
    }
  });

  it('is read ahead, several at a time, in the order in which it is asked for', async () => {
    const names = Array.from({ length: 30 }, (_, number) => `${SERVER}/runs/x${number}.json`);
    for (const name of names) await store(memory, name, name);
    const backend = open();
    let underWay = 0;
    let most = 0;
    const original = memory.readWhole.bind(memory);
    memory.readWhole = async (name, limit) => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 1));
      underWay--;
      if (name === names[7]) throw new Failure('io_error', 'not this one');
      return original(name, limit);
    };
    backend.expectWhole(names, 100);
    for (const name of names) {
      const read = await backend.readWhole(name, 100).catch((error: Failure) => Buffer.from(error.code));
      expect(read.toString()).to.equal(name === names[7] ? 'io_error' : name);
    }
    expect(most).to.be.within(2, 9);
  });
});
