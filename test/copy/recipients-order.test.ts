import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Copied } from '../../core/copy/copied.ts';
import { copyServer } from '../../core/copy/copy-server.ts';
import { sealedTarget } from '../../core/copy/open-copy.ts';
import { SentObjects } from '../../core/copy/sent-objects.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { Failure } from '../../core/failure.ts';
import type { Backend } from '../../core/repository/backends/backend.ts';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { placeOf } from '../../core/repository/opened-place.ts';
import { initRepository } from '../../core/repository/place.ts';
import type { Repository } from '../../core/repository/repository.ts';
import { RunIndex } from '../../core/repository/run-index.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { FaultyBackend, Killed } from '../repository/faulty-backend.ts';

async function onDisk(folder: string, options: string, action: () => Promise<void>): Promise<void> {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'state', folder]);
  try {
    await action();
  } finally {
    execFileSync('umount', [folder]);
  }
}

/** Leaves no room on a disk. */
function fill(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(4096));
  } catch (error) {
    expect(error).to.include({ code: 'ENOSPC' });
  }
}

/** Each place to stop at is tried with SLOW=1, else each so many. */
const STEP = process.env.SLOW === '1' ? 1 : 17;
const CALLS =
  process.env.SLOW === '1' ? (['create', 'write', 'commit', 'list', 'size', 'folders', 'read'] as const) : (['commit', 'list'] as const);

describe('a copy for recipients of its own, broken off', () => {
  let sandbox: Sandbox;
  let source: Repository;
  let recipient: string;

  before(async () => {
    sandbox = new Sandbox();
    ({ recipient } = await newIdentity());
    sandbox.set('databases', { method: 'none' });
    await sandbox.init();
    for (const content of ['one', 'two']) {
      mkdirSync(join(sandbox.shadow, content));
      writeFileSync(join(sandbox.shadow, content, 'file'), content);
      await sandbox.back();
    }
    source = await openRepository(sandbox.context.settings, 'read', () => {});
  });
  after(() => sandbox.remove());

  let count = 0;
  const newState = (): string => join(source.place.whoFolder, 'copies', `c${++count}`);

  async function openTarget(backend: Backend, stateFolder: string): Promise<Repository> {
    const { identity: repository } = await initRepository(backend, [recipient]);
    const place = placeOf({ backend, repository, stateFolder, whoFolder: source.place.whoFolder, notify: () => {} });
    return sealedTarget(source, place, [recipient]);
  }

  async function copyTo(target: Repository): Promise<Copied> {
    const copied = new Copied();
    const runs = await RunIndex.read(source, Date.now());
    const order = { rules: undefined, runs, throttle: <T>(writer: T) => writer, signal: new AbortController().signal };
    await copyServer(source, target, { ...order, begin: async () => () => {} }, copied);
    return copied;
  }

  /** What is sent in all, but for what the copy says itself. */
  const sentTo = async (backend: Backend) => {
    const names: string[] = [];
    for await (const { name } of backend.list('')) if (!/repository\.json|server\.json|\/keys\/|\/deletions\//.test(name)) names.push(name);
    return names.sort();
  };

  async function requireWhole(backend: Backend, isMended = false): Promise<void> {
    const target = await openTarget(backend, newState());
    const known = new Map<string, string>();
    for (const unit of await target.units.ids()) {
      const { records, unusable, doubtful } = await target.readSnapshots(unit);
      expect([...unusable, ...doubtful]).to.deep.equal([]);
      for (const record of records) {
        known.set(record.id, target.recordDigest(record));
        for (const link of record.level === 'full' ? [] : [record.parent, record.base])
          expect(link?.sha256, record.id).to.equal(known.get(link?.id as string));
        for (const { path, length, sha256 } of [record.manifest, ...record.packs]) {
          const bytes = await target.readObject(path);
          expect([bytes.length, hash('sha256', bytes)], path).to.deep.equal([length, sha256]);
        }
      }
    }
    for (const { units } of await target.runs.all())
      for (const { snapshot } of units) {
        expect(known).to.include.keys(snapshot?.id as string);
        // A record that was made anew has another digest than the runs of before say, which vouch for nothing.
        if (!isMended) expect(snapshot?.sha256).to.equal(known.get(snapshot?.id as string));
      }
  }

  for (const isLost of [false, true]) {
    it(`anywhere, shows nothing of which a part is missing, and goes on from there${isLost ? ' without its state' : ''}`, async () => {
      let isWhole = false;
      for (let killAt = 1; !isWhole; killAt += STEP) {
        const backend = new MemoryBackend();
        const faulty = new FaultyBackend(backend);
        faulty.killAt = killAt;
        const state = newState();
        isWhole = await openTarget(faulty, state)
          .then(copyTo)
          .then(
            () => true,
            (error: unknown) => {
              expect(error, `${killAt}`).to.be.instanceOf(Killed);
              return false;
            },
          );
        const before = await sentTo(backend);
        const recorded = before.some((name) => name.includes('/snapshots/'));
        await requireWhole(backend);
        if (isLost) rmSync(state, { recursive: true, force: true });
        const rest = await copyTo(await openTarget(backend, state));
        expect(rest.problems, `${killAt}`).to.deep.equal([]);
        const after = await sentTo(backend);
        const again = rest.objects - (after.length - before.length);
        // Packs and a manifest that no record names yet.
        if (isLost) expect(again, `${killAt}: sent again`).to.be.within(0, recorded ? 2 : 3);
        else expect(again, `${killAt}: sent again`).to.equal(0);
        await requireWhole(backend);
        expect((await copyTo(await openTarget(backend, state))).objects).to.equal(0);
      }
    });
  }

  for (const isLost of [false, true]) {
    it(`while it replaces what somebody had cut, goes on${isLost ? ' without its state' : ''} until all is whole`, async () => {
      let isWhole = false;
      for (let killAt = 1; !isWhole; killAt += STEP) {
        const backend = new MemoryBackend();
        const state = newState();
        await copyTo(await openTarget(backend, state));
        const [pack] = (await sentTo(backend)).filter((name) => name.includes('/packs/'));
        const cut = await backend.create(pack as string, 'replacing');
        await cut.write(Buffer.from('cut'));
        await cut.commit();
        const faulty = new FaultyBackend(backend);
        faulty.killAt = killAt;
        isWhole = await openTarget(faulty, state)
          .then(copyTo)
          .then(
            () => true,
            (error: unknown) => {
              expect(error, `${killAt}`).to.be.instanceOf(Killed);
              return false;
            },
          );
        if (isLost) rmSync(state, { recursive: true });
        await copyTo(await openTarget(backend, state));
        await requireWhole(backend, true);
        expect(await copyTo(await openTarget(backend, state)), `${killAt}`).to.deep.include({ objects: 0, problems: [] });
      }
    });
  }

  for (const stage of ['is opened the first time', 'is copied to', 'gets back what was taken away']) {
    it(`by a place that refuses each kind of call once while it ${stage}, goes on the next time`, async () => {
      for (const call of CALLS) {
        const backend = new MemoryBackend();
        const faulty = new FaultyBackend(backend);
        const state = newState();
        if (stage === 'gets back what was taken away') {
          await copyTo(await openTarget(backend, state));
          for await (const { name } of backend.list('')) if (/keys|deletions/.test(name)) await backend.remove(name);
        }
        const refuse = () => faulty.fail(call, new Failure('repository_unreachable', 'not now', { retry: true }), 1);
        if (stage !== 'is copied to') refuse();
        const attempt = openTarget(faulty, state).then((target) => {
          if (stage === 'is copied to') refuse();
          return copyTo(target);
        });
        await attempt.catch((error: unknown) => expect(error).to.include({ code: 'repository_unreachable' }));
        await requireWhole(backend);
        expect((await copyTo(await openTarget(backend, state))).problems, call).to.deep.equal([]);
        await requireWhole(backend);
      }
    });
  }

  it('by a state directory that takes nothing, is whole, and is found again', async () => {
    const backend = new MemoryBackend();
    const state = newState();
    const target = await openTarget(backend, state);
    // A folder in the place of the file.
    mkdirSync(join(state, 'sent.jsonl'), { recursive: true });
    expect((await copyTo(target)).problems).to.deep.equal([]);
    await requireWhole(backend);
    rmSync(join(state, 'sent.jsonl'), { recursive: true });
    expect((await copyTo(await openTarget(backend, state))).objects).to.equal(0);
  });

  it('by somebody who stores an object of the same name meanwhile, does not take that for its own', async () => {
    const backend = new MemoryBackend();
    const faulty = new FaultyBackend(backend);
    const state = newState();
    const target = await openTarget(faulty, state);
    const create = faulty.create.bind(faulty);
    let taken: string | undefined;
    faulty.create = async (name, mode) => {
      const writer = await create(name, mode);
      if (taken !== undefined || !name.includes('/packs/')) return writer;
      taken = name;
      let length = 0;
      return {
        write: (chunk) => {
          length += chunk.length;
          return writer.write(chunk);
        },
        // Just as long.
        commit: async () => {
          const other = await backend.create(name);
          await other.write(Buffer.alloc(length, 'x'));
          await other.commit();
          await writer.commit();
        },
        abort: () => writer.abort(),
      };
    };
    const error = await copyTo(target).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'object_exists' });
    await copyTo(await openTarget(backend, state));
    expect((await backend.read(taken as string)).subarray(0, 21).toString()).to.equal('age-encryption.org/v1');
    await requireWhole(backend);
  });

  for (const options of ['size=64k', 'ro']) {
    it(`where it cannot forget what it replaces (${options}), remembers nothing of that`, async () => {
      const backend = new MemoryBackend();
      const state = newState();
      await copyTo(await openTarget(backend, state));
      const kept = readFileSync(join(state, 'sent.jsonl'));
      const [pack] = (await sentTo(backend)).filter((name) => name.includes('/packs/'));
      const cut = await backend.create(pack as string, 'replacing');
      await cut.write(Buffer.from('cut'));
      await cut.commit();
      const target = await openTarget(backend, state);
      await onDisk(state, options, async () => {
        if (options === 'ro') execFileSync('mount', ['-o', 'remount,rw', state]);
        // To the end of a page: no line has room behind it.
        writeFileSync(
          join(state, 'sent.jsonl'),
          Buffer.concat([kept, Buffer.alloc(4096 - (kept.length % 4096) - 1, ' '), Buffer.from('\n')]),
        );
        if (options === 'ro') execFileSync('mount', ['-o', 'remount,ro', state]);
        else fill(join(state, 'other'));
        const refusal = await copyTo(target).catch((error: unknown) => error);
        if (options === 'ro') {
          expect(refusal).to.include({ code: 'io_error' });
          expect((await backend.read(pack as string)).toString()).to.equal('cut');
          return;
        }
        const listed = new Map<string, number>();
        for await (const { name, size } of target.listObjects('')) listed.set(name, size);
        const remembered = new SentObjects(target, listed);
        for (const path of listed.keys()) {
          const known = remembered.get(path)?.sha256;
          if (known !== undefined) expect(known, path).to.equal(hash('sha256', await backend.read(target.nameOf(path))));
        }
      });
    });
  }

  it('in the middle of a line of what it remembers, remembers what comes behind', async () => {
    const target = await openTarget(new MemoryBackend(), newState());
    const sent = (path: string) => ({ path, length: 3, sha256: '0'.repeat(64) });
    const listed = new Map(['a', 'b', 'c'].map((path) => [path, 3]));
    new SentObjects(target, listed).add(sent('a'));
    appendFileSync(join(target.stateFolder, 'sent.jsonl'), JSON.stringify(sent('b')).slice(0, 20));
    new SentObjects(target, listed).add(sent('c'));
    const found = new SentObjects(target, listed);
    expect(['a', 'b', 'c'].filter((path) => found.get(path) !== undefined)).to.deep.equal(['a', 'c']);
    found.forget('a');
    expect(new SentObjects(target, listed).get('a')).to.equal(undefined);
  });
});
