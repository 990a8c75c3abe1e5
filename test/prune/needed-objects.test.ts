import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { RetentionPolicy } from '../../core/chain/retention-policy.ts';
import type { ChainSnapshot, Level } from '../../core/chain/snapshot.ts';
import { wantedUntil } from '../../core/chain/wanted-until.ts';
import { hold } from '../../core/commands/hold.ts';
import { neededObjects } from '../../core/prune/needed-objects.ts';
import { isTooShort, lockedUntil } from '../../core/prune/renew-locks.ts';
import { readHolds, retentionHolds } from '../../core/repository/holds.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { RunIndex } from '../../core/repository/run-index.ts';
import { Sandbox } from '../commands/sandbox.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-20T12:00:00Z');
const terms = (policy: Partial<RetentionPolicy>) => ({
  policy: { guardShare: 0.5, ...policy },
  now: Temporal.Instant.fromEpochMilliseconds(NOW),
  timeZone: 'UTC',
  holds: [],
});

/** A snapshot of so many days ago; `on` is what it lies on. */
function snapshot(id: string, level: Level, days: number, on: ChainSnapshot | null = null): ChainSnapshot {
  const link = on === null ? null : { id: on.id, sha256: on.sha256 };
  const base = on === null ? null : (on.base ?? link);
  return { id, sha256: `digest of ${id}`, level, synthetic: false, time: new Date(NOW - days * DAY).toISOString(), parent: link, base };
}

describe('how long objects are locked', () => {
  const full = snapshot('full', 'full', 10);
  const first = snapshot('first', 'incremental', 9, full);
  const second = snapshot('second', 'incremental', 1, first);
  const all = [full, first, second];
  const days = (policy: Partial<RetentionPolicy>, holds: { id: string; reason: string; expires?: string }[] = []) =>
    Object.fromEntries(
      [...wantedUntil(all, { ...terms(policy), holds })].map(([id, until]) => [id, until === 0 ? 0 : (until - NOW) / DAY]),
    );

  it('is as long as the age of a snapshot keeps it, or that of one which needs it', () => {
    expect(days({ levels: { full: '20 days', incremental: '4 days' } })).to.deep.equal({ full: 10, first: 3, second: 3 });
    expect(days({ levels: { full: '11 days', incremental: '4 days' } })).to.deep.equal({ full: 3, first: 3, second: 3 });
    expect(days({ levels: { full: '11 days' }, keepWithin: '30 days' })).to.deep.equal({ full: 29, first: 29, second: 29 });
    expect(days({ keepDaily: 7 }), 'no rule that says until when').to.deep.equal({ full: 0, first: 0, second: 0 });
    expect(days({}), 'no rule at all').to.deep.equal({ full: Infinity, first: Infinity, second: Infinity });
    expect(days({ levels: { full: '99999 years' } }).full).to.be.above(3_000_000);
  });

  it('is as long as a hold says of it or of one that needs it', () => {
    const held = (id: string, expires?: string) => [{ id, reason: 'a case', ...(expires === undefined ? {} : { expires }) }];
    const policy = { levels: { full: '20 days', incremental: '4 days' } };
    expect(days(policy, held('first', new Date(NOW + 25 * DAY).toISOString()))).to.deep.equal({ full: 25, first: 25, second: 3 });
    expect(days(policy, held('first'))).to.deep.equal({ full: Infinity, first: Infinity, second: 3 });
    expect(days(policy, held('of another unit'))).to.deep.equal({ full: 10, first: 3, second: 3 });
  });

  it('is never more than three months ahead, and never less than the setting says', () => {
    const rule = { mode: 'compliance', period: 30 * DAY } as const;
    expect((lockedUntil(0, rule, NOW) - NOW) / DAY).to.equal(30);
    expect((lockedUntil(NOW + 60 * DAY, rule, NOW) - NOW) / DAY).to.equal(60);
    expect((lockedUntil(Infinity, rule, NOW) - NOW) / DAY).to.equal(90);
    expect((lockedUntil(Infinity, { ...rule, period: 365 * DAY }, NOW) - NOW) / DAY).to.equal(365);
  });

  it('is renewed between a half and three quarters, on days that the names spread', () => {
    const target = NOW + 100 * DAY;
    const names = Array.from({ length: 400 }, (_, number) => `servers/s/units/u/packs/${number}`);
    const due = (left: number) => names.filter((name) => isTooShort(name, NOW + left * DAY, target, NOW)).length;
    expect([due(0), due(49.9), due(75.1), due(100)]).to.deep.equal([400, 400, 0, 0]);
    for (const left of [55, 60, 65, 70]) expect(due(left) - due(left + 5), `from ${left} days on`).to.be.within(40, 120);
    // What retention will let go is not renewed for its last days.
    expect(names.filter((name) => isTooShort(name, NOW + 60 * DAY, NOW + 60 * DAY, NOW))).to.deep.equal([]);
  });
});

describe('the objects that are to be locked', () => {
  let server: Sandbox;
  let clock: number;
  beforeEach(async () => {
    server = new Sandbox();
    server.set('databases', { method: 'none' });
    server.set('retention', { levels: { full: '20 days', incremental: '4 days' }, guardShare: 1 });
    clock = Date.now() - 25 * DAY;
    server.now = () => new Date(clock);
    await server.init();
    for (const level of ['full', 'incremental', 'full', 'incremental'] as const) {
      writeFileSync(join(server.shadow, 'file'), `at ${clock}`);
      await server.back(level);
      clock += 6 * DAY;
    }
  });
  afterEach(() => server.remove());

  const needed = async () => {
    const { context } = server;
    const repository = await openRepository(context.settings, 'read', () => {});
    const now = Temporal.Instant.fromEpochMilliseconds(clock);
    const rules = {
      ...{ policy: { guardShare: 1, ...context.settings.retention }, now, timeZone: 'UTC', confirmed: false },
      ...{ holds: retentionHolds(await readHolds(repository)), runs: await RunIndex.read(repository, clock) },
    };
    return neededObjects(repository, rules);
  };
  const packsIn = (objects: readonly { readonly name: string }[]) =>
    objects.filter(({ name }) => name.includes('/packs/')).map(({ name }) => name);
  const idOf = (number: number) => /snapshots\/([^/]*)\.json/.exec(server.objects('snapshots')[number] as string)?.[1] as string;
  const idsOf = (names: readonly string[]) => [...new Set(names.map((name) => /packs\/(.*)-\d+\.tar/.exec(name)?.[1]))];

  it('are those that a kept snapshot needs, and everything outside of units', async () => {
    const objects = await needed();
    expect(idsOf(packsIn(objects))).to.deep.equal([idOf(2), idOf(3)]);
    for (const part of ['repository.json', '/server.json', '/unit.json', '/runs/'])
      expect(
        objects.some(({ name }) => name.endsWith(part) || name.includes(part)),
        part,
      ).to.equal(true);
    // As much as retention says, of the full; the newest state stays without a word until when.
    expect(objects.find(({ name }) => name.includes(`packs/${idOf(2)}`))?.wanted).to.equal(Date.parse(timeOf(idOf(2))) + 20 * DAY);
    expect(objects.find(({ name }) => name.includes(`packs/${idOf(3)}`))?.wanted).to.be.at.most(clock);
    await hold({ snapshot: idOf(1), reason: 'a case' }, server.context);
    expect(idsOf(packsIn(await needed()))).to.deep.equal([idOf(0), idOf(1), idOf(2), idOf(3)]);
  });

  it('are all of a unit of which a record cannot be used, and what a prune would not delete without a word', async () => {
    server.set('retention', { levels: { full: '20 days', incremental: '4 days' }, guardShare: 0.1 });
    clock += 60 * DAY;
    expect(idsOf(packsIn(await needed())), 'refused').to.have.length(4);
    clock -= 60 * DAY;
    expect(idsOf(packsIn(await needed()))).to.have.length(2);
    writeFileSync(join(dirname(server.objects('snapshots')[0] as string), '20200101T000000000Z-00000000.json'), 'no record');
    expect(idsOf(packsIn(await needed()))).to.have.length(4);
  });
});

/** The time in an id, as RFC 3339. */
function timeOf(id: string): string {
  return id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z.*/, '$1-$2-$3T$4:$5:$6.$7Z');
}
