import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { KnownLocks } from '../../core/prune/known-locks.ts';
import type { NeededObject } from '../../core/prune/needed-objects.ts';
import { renewLocks } from '../../core/prune/renew-locks.ts';
import type { ObjectLock, ObjectLocks } from '../../core/repository/backends/backend.ts';
import { failureOf } from '../failure-of.ts';

const DAY = 86_400_000;
const NOW = 1_800_000_000_000;

/** A store's locks as a store behaves, in memory; `fail` says what goes wrong with a request. */
class MemoryLocks implements ObjectLocks {
  readonly rule = { mode: 'compliance', period: 30 * DAY } as const;
  readonly locked = new Map<string, ObjectLock | 'unlocked'>();
  readonly asked: string[] = [];
  readonly extended: string[] = [];
  fail: (request: 'of' | 'extend', name: string) => void = () => {};
  keeps = true;

  async check(): Promise<void> {}

  async of(name: string): Promise<ObjectLock | 'unlocked' | 'missing'> {
    this.asked.push(name);
    this.fail('of', name);
    return this.locked.get(name) ?? 'missing';
  }

  async extend(name: string, lock: ObjectLock): Promise<boolean> {
    this.fail('extend', name);
    const before = this.locked.get(name);
    if (before === undefined) return false;
    if (before !== 'unlocked' && (before.until > lock.until || before.mode !== lock.mode))
      throw new Failure('repository_refused', `${name}: AccessDenied`);
    this.extended.push(name);
    if (this.keeps) this.locked.set(name, lock);
    return true;
  }
}

describe('the renewal of locks', () => {
  let locks: MemoryLocks;
  let folder: string;
  let known: KnownLocks;
  let needed: NeededObject[];
  let stop: AbortController;
  let saved: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'locks-'));
    known = new KnownLocks(folder);
    locks = new MemoryLocks();
    needed = [];
    stop = new AbortController();
    saved = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** An object whose lock has so many days left; undefined: it has none. */
  const add = (name: string, days?: number, mode: ObjectLock['mode'] = 'compliance', wanted = 0) => {
    locks.locked.set(name, days === undefined ? 'unlocked' : { mode, until: NOW + days * DAY });
    needed.push({ name, modified: 1, wanted });
  };
  const renew = (now = NOW) => {
    const save = () => {
      saved++;
      known.save(needed.map(({ name }) => name));
    };
    return renewLocks(needed, locks, { known, now, signal: stop.signal, save });
  };
  const left = (name: string) => {
    const lock = locks.locked.get(name);
    return lock === undefined || lock === 'unlocked' ? lock : (lock.until - NOW) / DAY;
  };
  const refuse = (...names: string[]) => {
    locks.fail = (request, name) => {
      if (request === 'extend' && names.includes(name)) throw new Failure('repository_refused', `${name}: AccessDenied`);
    };
  };

  it('extends what has no lock or too little left of one, those first that end first, and nothing else', async () => {
    add('half gone', 14);
    add('none');
    add('nearly gone', 1);
    add('enough', 25);
    add('wanted for long', 25, 'compliance', NOW + 80 * DAY);
    add('for ever', undefined, 'compliance', Number.POSITIVE_INFINITY);
    const done = await renew();
    expect(locks.extended.slice(0, 2).sort()).to.deep.equal(['for ever', 'none']);
    expect(locks.extended.slice(2)).to.deep.equal(['nearly gone', 'half gone', 'wanted for long']);
    expect(Object.fromEntries(needed.map(({ name }) => [name, left(name)]))).to.deep.equal({
      ...{ 'half gone': 30, none: 30, 'nearly gone': 30, enough: 25, 'wanted for long': 80, 'for ever': 90 },
    });
    expect(done).to.deep.include({ objects: 6, asked: 6, extended: 5, soonest: NOW + 25 * DAY, problems: [] });
    locks.asked.length = 0;
    known = new KnownLocks(folder);
    expect(await renew(), 'known from then on').to.deep.include({ asked: 0, extended: 0 });
    needed = needed.map((object) => ({ ...object, modified: 2 }));
    expect(await renew(), 'other versions').to.deep.include({ asked: 6, extended: 0 });
  });

  it('goes on where the store refuses one object, and names it', async () => {
    for (const name of ['a', 'b', 'c']) add(name);
    refuse('b');
    const { problems, extended, soonest } = await renew();
    expect(problems.map(({ message }) => message)).to.deep.equal(['b: AccessDenied']);
    expect([extended, left('a'), left('b'), left('c'), soonest]).to.deep.equal([2, 30, 'unlocked', 30, 0]);
    locks.fail = () => {};
    expect(await renew()).to.deep.include({ extended: 1, problems: [] });
    // The same where it does not say how one is locked.
    for (const name of ['d', 'e']) add(name);
    locks.fail = (request, name) => {
      if (request === 'of' && name === 'd') throw new Failure('repository_refused', 'd: AccessDenied');
    };
    expect(await renew()).to.deep.include({ extended: 1, soonest: 0 });
    expect([left('d'), left('e')]).to.deep.equal(['unlocked', 30]);
  });

  it('gives up where it may not lock at all, and does not ask for each', async () => {
    for (let number = 0; number < 500; number++) add(`${number}`);
    refuse(...needed.map(({ name }) => name));
    expect(await failureOf(() => renew())).to.include({ code: 'repository_refused' });
    expect(locks.asked.length).to.be.below(500 + 50);
    refuse();
    locks.fail = (request) => {
      if (request === 'of') throw new Failure('repository_refused', 'no s3:GetObjectRetention');
    };
    known = new KnownLocks(join(folder, 'nothing'));
    expect(await failureOf(() => renew())).to.include({ message: 'no s3:GetObjectRetention' });
  });

  it('is broken off by a store that is gone or by whoever stops it, keeps what it knows, and goes on', async () => {
    for (let number = 0; number < 40; number++) add(`${number}`);
    locks.fail = (request) => {
      if (request === 'extend' && locks.extended.length >= 20) throw new Failure('repository_unreachable', 'gone', { retry: true });
    };
    expect(await failureOf(() => renew())).to.include({ code: 'repository_unreachable' });
    const before = locks.extended.length;
    expect([before, saved]).to.deep.equal([20, 1]);
    known = new KnownLocks(folder);
    locks.asked.length = 0;
    locks.fail = (request) => {
      if (request === 'extend' && locks.extended.length === 25) stop.abort();
    };
    expect(await failureOf(() => renew())).to.include({ code: 'cancelled' });
    expect(locks.asked.length, 'what was extended is known, and the first is looked at').to.be.at.most(21);
    stop = new AbortController();
    known = new KnownLocks(folder);
    locks.fail = () => {};
    await renew();
    expect(locks.extended.length, 'each once').to.equal(40);
    expect(needed.every(({ name }) => left(name) === 30)).to.equal(true);
  });

  it('says so when the store does not keep what it is told', async () => {
    for (const name of ['a', 'b', 'c']) add(name);
    locks.keeps = false;
    const failure = await failureOf(() => renew());
    expect(failure).to.include({ code: 'repository_refused' });
    expect(failure.message).to.contain('does not keep locks');
    expect(locks.extended).to.have.length(1);
    locks.keeps = true;
    expect(await renew(), 'and believes nothing of it').to.deep.include({ extended: 3 });
  });

  it('shortens no lock, changes no mode, and takes what somebody else locked for longer as it is', async () => {
    add('longer than it is wanted', 300);
    add('in the other mode', 1, 'governance');
    add('extended by hand', 1);
    await renew();
    expect([left('longer than it is wanted'), left('in the other mode'), left('extended by hand')]).to.deep.equal([300, 30, 30]);
    expect(locks.locked.get('in the other mode')).to.include({ mode: 'governance' });
    // The state does not know yet what somebody did.
    locks.locked.set('extended by hand', { mode: 'compliance', until: NOW + 1000 * DAY });
    locks.locked.set('in the other mode', { mode: 'compliance', until: NOW + 31 * DAY });
    const done = await renew(NOW + 25 * DAY);
    expect(done.problems).to.deep.equal([]);
    expect([left('extended by hand'), left('in the other mode')]).to.deep.equal([1000, 55]);
  });

  it('passes over what is gone meanwhile', async () => {
    for (const name of ['a', 'b', 'c']) add(name);
    locks.fail = (request, name) => {
      if (request === 'extend' && name === 'a') locks.locked.delete('b');
    };
    locks.locked.delete('c');
    expect(await renew()).to.deep.include({ objects: 3, extended: 1, problems: [], soonest: NOW + 30 * DAY });
  });

  it('asks for everything again when its state is damaged, or cannot be kept', async () => {
    add('a', 25);
    await renew();
    const file = join(folder, 'object-locks.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.have.property('a');
    for (const text of ['', '[]', '{"a":[1,2]}', '{"a":[1,1e99,1]}', '{"a":"x"}']) {
      writeFileSync(file, text);
      known = new KnownLocks(folder);
      expect(await renew(), text).to.deep.include({ asked: 1, extended: 0 });
    }
  });
});
