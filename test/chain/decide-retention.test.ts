import { expect } from 'chai';
import fc from 'fast-check';
import { ChainIndex, chainMembers } from '../../core/chain/chain-index.ts';
import { decideRetention } from '../../core/chain/decide-retention.ts';
import type { Hold, RetentionPolicy } from '../../core/chain/retention-policy.ts';
import { type ChainSnapshot, newest } from '../../core/chain/snapshot.ts';
import { DEFAULT_RETENTION } from '../../core/config/defaults.ts';
import { Failure } from '../../core/failure.ts';
import { BERLIN, history, instant, snapshot } from './histories.ts';

const NOW = '2026-11-20T12:00:00Z';
const DAY = 86_400_000;

function decide(snapshots: readonly ChainSnapshot[], policy: RetentionPolicy = DEFAULT_RETENTION, holds: Hold[] = [], now = NOW) {
  return decideRetention(snapshots, policy, instant(now), BERLIN, holds);
}

function kept(...request: Parameters<typeof decide>): string[] {
  return decide(...request)
    .verdicts.filter((verdict) => verdict.keep)
    .map((verdict) => verdict.id);
}

function rulesOf(id: string, ...request: Parameters<typeof decide>): readonly string[] {
  return decide(...request).verdicts.find((verdict) => verdict.id === id)!.rules;
}

/** A plain full at that time. */
function fullAt(time: string, more: Partial<ChainSnapshot> = {}): ChainSnapshot {
  return snapshot(time, 'full', time, undefined, more);
}

const count = fc.option(fc.nat(5), { nil: undefined });
const policies: fc.Arbitrary<RetentionPolicy> = fc
  .record({ keepDaily: count, keepWeekly: count, keepMonthly: count, keepYearly: count, days: count, levels: fc.boolean() })
  .map(({ days, levels, ...counts }) => ({
    ...(Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== undefined)) as Partial<RetentionPolicy>),
    ...(days === undefined ? {} : { keepWithin: `${days} days` }),
    ...(levels ? { levels: { full: '30 days', differential: '20 days', incremental: '4 days' } } : {}),
    guardShare: 0.5,
  }));
const clock = fc
  .integer({ min: Date.parse('2026-08-01T00:00:00Z'), max: Date.parse('2026-12-20T00:00:00Z') })
  .map((time) => new Date(time).toISOString());

describe('retention', () => {
  it('keeps by level by default, and what kept ones need', () => {
    const full = snapshot('full', 'full', '2026-09-06T02:00:00Z');
    const early = snapshot('early', 'incremental', '2026-09-07T02:00:00Z', full);
    const other = snapshot('other', 'full', '2026-11-01T02:00:00Z');
    const differential = snapshot('differential', 'differential', '2026-11-08T02:00:00Z', other);
    const monday = snapshot('monday', 'incremental', '2026-11-16T02:00:00Z', differential);
    const tuesday = snapshot('tuesday', 'incremental', '2026-11-17T02:00:00Z', monday);
    const all = [full, early, other, differential, monday, tuesday];
    expect(kept(all)).to.deep.equal(['other', 'differential', 'monday', 'tuesday']);
    expect(rulesOf('full', all)).to.deep.equal(['full older than 2 months']);
    expect(rulesOf('early', all)).to.deep.equal(['incremental older than 4 days']);
    expect(rulesOf('monday', all)).to.deep.equal(['needed by tuesday']);
    expect(rulesOf('tuesday', all)).to.deep.equal(['incremental younger than 4 days', 'newest good snapshot']);
    expect(rulesOf('other', all)).to.include('newest good full').and.to.include('needed by differential and 1 more');
  });

  it('keeps the first of each day, week, month and year of the calendar', () => {
    const times = [
      '2025-03-01',
      '2025-12-31',
      '2026-09-30',
      '2026-10-05',
      '2026-10-06',
      '2026-11-09',
      '2026-11-15',
      '2026-11-16',
      '2026-11-19',
      '2026-11-20',
    ];
    const all = times.flatMap((date) => [fullAt(`${date}T08:00:00Z`), fullAt(`${date}T09:00:00Z`)]);
    const dates = (policy: Omit<RetentionPolicy, 'guardShare'>) => {
      const found = kept(all, { ...policy, guardShare: 1 });
      expect(found.pop(), 'the newest').to.equal('2026-11-20T09:00:00Z');
      expect(found.every((id) => id.endsWith('T08:00:00Z'))).to.equal(true);
      return found.map((id) => id.slice(0, 10));
    };
    expect(dates({ keepDaily: 2 })).to.deep.equal(['2026-11-19', '2026-11-20']);
    expect(dates({ keepWeekly: 2 })).to.deep.equal(['2026-11-09', '2026-11-16']);
    expect(dates({ keepMonthly: 2 })).to.deep.equal(['2026-10-05', '2026-11-09']);
    expect(dates({ keepYearly: 2 })).to.deep.equal(['2025-03-01', '2026-09-30']);
    expect(rulesOf('2026-11-16T08:00:00Z', all, { keepWeekly: 1, guardShare: 1 })).to.deep.equal(['first of the week of 2026-11-16']);
  });

  it('counts days of the local time zone', () => {
    const late = fullAt('2026-11-18T23:30:00Z');
    const all = [late, fullAt('2026-11-19T12:00:00Z'), fullAt('2026-11-20T10:00:00Z')];
    expect(rulesOf(late.id, all, { keepDaily: 2, guardShare: 1 })).to.deep.equal(['first of the day 2026-11-19']);
  });

  it('counts days, not snapshots, for keepLast', () => {
    const burst = Array.from({ length: 50 }, (_, i) => fullAt(`2026-11-20T10:${String(i).padStart(2, '0')}:00Z`));
    const old = [fullAt('2026-03-01T00:00:00Z'), fullAt('2026-04-01T00:00:00Z')];
    expect(kept([...old, ...burst], { keepLast: 2, guardShare: 1 })).to.deep.equal([old[1]!.id, ...burst.map((one) => one.id)]);
    expect(kept([...old, ...burst], { keepLast: 0, guardShare: 1 })).to.deep.equal([burst.at(-1)!.id]);
  });

  it('takes a snapshot in which nothing changed as one of the day that found so', () => {
    const old = snapshot('old', 'full', '2026-11-01T00:00:00Z', undefined, { unchangedUntil: '2026-11-18T00:00:00Z' });
    const after = fullAt('2026-11-20T00:00:00Z');
    expect(rulesOf('old', [old, after], { keepDaily: 3, guardShare: 1 })).to.deep.equal(['first of the day 2026-11-18']);
    expect(rulesOf('old', [old, after], { keepWithin: '3 days', guardShare: 1 })).to.deep.equal(['younger than 3 days']);
    const forged = { ...old, unchangedUntil: '2030-01-01T00:00:00Z' };
    expect(kept([forged, after], { keepWithin: '3 days', guardShare: 1 })).to.deep.equal([after.id]);
  });

  it('honours a hold until it expires', () => {
    const all = [fullAt('2025-01-01T00:00:00Z'), fullAt('2026-11-20T00:00:00Z')];
    const id = all[0]!.id;
    expect(rulesOf(id, all, DEFAULT_RETENTION, [{ id, reason: 'court order' }])).to.deep.equal(['held: court order']);
    expect(kept(all, DEFAULT_RETENTION, [{ id, reason: 'migration', expires: '2026-11-20T12:00:01Z' }])).to.include(id);
    expect(kept(all, DEFAULT_RETENTION, [{ id, reason: 'migration', expires: NOW }])).not.to.include(id);
    expect(decide(all, DEFAULT_RETENTION, [{ id: 'elsewhere', reason: 'x' }]).verdicts).to.have.length(2);
  });

  it('keeps the newest good full and the newest good snapshot, however old', () => {
    const full = fullAt('2020-01-01T00:00:00Z');
    const last = snapshot('last', 'incremental', '2020-01-02T00:00:00Z', full);
    const damaged = fullAt('2020-02-01T00:00:00Z', { usable: false });
    expect(kept([full, last, damaged])).to.deep.equal([full.id, 'last']);
    expect(kept([fullAt('2019-01-01T00:00:00Z', { usable: false }), damaged])).to.deep.equal([damaged.id]);
  });

  it('keeps everything when no rule is set', () => {
    const all = [fullAt('2001-01-01T00:00:00Z'), fullAt('2026-11-20T00:00:00Z')];
    expect(kept(all, { guardShare: 0.5 })).to.have.length(2);
    expect(kept(all, { levels: {}, guardShare: 0.5 })).to.have.length(2);
    expect(rulesOf(all[0]!.id, all, { guardShare: 0.5 })).to.deep.equal(['no rule is set']);
  });

  it('lets snapshots dated in the future neither go nor count (case 37)', () => {
    const all = [fullAt('2026-11-18T00:00:00Z'), fullAt('2026-11-19T00:00:00Z')];
    const future = fullAt('2036-01-01T00:00:00Z');
    for (const policy of [{ keepLast: 1, guardShare: 1 }, { keepDaily: 2, guardShare: 1 }, DEFAULT_RETENTION]) {
      expect(kept([...all, future], policy)).to.deep.equal([...kept(all, policy), future.id]);
    }
    expect(rulesOf(all[1]!.id, [...all, future])).to.include('newest good full');
  });

  it('asks before more than the configured share goes, from five on', () => {
    const old = (n: number) =>
      Array.from({ length: n }, (_, i) => fullAt(new Date(Date.parse('2020-01-01T00:00:00Z') + i * DAY).toISOString()));
    expect(decide(old(6))).to.include({ deletions: 5, refusedSince: NOW });
    expect(decide(old(5)).deletions).to.equal(4);
    expect(decide(old(5))).not.to.have.property('refusedSince');
    expect(decide(old(6), { ...DEFAULT_RETENTION, guardShare: 0.9 })).not.to.have.property('refusedSince');
    const young = Array.from({ length: 5 }, (_, i) => fullAt(`2026-11-1${i}T00:00:00Z`));
    const daily = Array.from({ length: 10 }, (_, i) => fullAt(`2026-11-${11 + i}T02:00:00Z`));
    expect(decide(daily, { keepDaily: 5, guardShare: 0.5 }).deletions).to.equal(5);
    expect(decide(daily, { keepDaily: 5, guardShare: 0.5 }), 'half is not more than half').not.to.have.property('refusedSince');
    expect(decide(young, DEFAULT_RETENTION, [], '2099-01-01T00:00:00Z').deletions, 'a clock far ahead').to.equal(4);
    expect(decide([...young, ...old(1)], DEFAULT_RETENTION, [], '2099-01-01T00:00:00Z')).to.have.property('refusedSince');
  });

  it('refuses a duration that it does not understand', () => {
    expect(() => decide([], { keepWithin: 'long', guardShare: 1 }))
      .to.throw(Failure)
      .with.property('code', 'usage');
  });

  it('never deletes what a kept snapshot needs, nor the newest good full, nor the future (case 38)', () => {
    fc.assert(
      fc.property(history, policies, clock, (snapshots, policy, now) => {
        const ids = new Set(kept(snapshots, policy, [], now));
        const good: ChainSnapshot[] = [];
        for (const one of snapshots) {
          if (Date.parse(one.time) > Date.parse(now)) expect(ids.has(one.id)).to.equal(true);
          try {
            const chain = chainMembers(new ChainIndex(snapshots).select(one.id));
            if (ids.has(one.id)) for (const member of chain) expect(ids.has(member.id), `${member.id} for ${one.id}`).to.equal(true);
            if (Date.parse(one.time) <= Date.parse(now)) good.push(one);
          } catch (error) {
            expect(error).to.have.property('code', 'chain_broken');
          }
        }
        const full = newest(good.filter((one) => one.level === 'full'));
        if (full !== undefined) expect(ids.has(full.id)).to.equal(true);
      }),
    );
  });

  it('never lets a later snapshot shorten the life of an earlier one, but for the guards', () => {
    const later = fc.array(fc.integer({ min: 0, max: 400 * DAY }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(history, policies, clock, later, (snapshots, policy, now, after) => {
        const end = Math.max(Date.parse('2026-09-01T00:00:00Z'), ...snapshots.map((one) => Date.parse(one.time)));
        const burst = after.map((ms, i) => snapshot(`burst${i}`, 'full', new Date(end + 1 + ms).toISOString()));
        const ids = new Set(kept([...snapshots, ...burst], policy, [], now));
        const guards = /^newest|^needed by/;
        for (const verdict of decide(snapshots, policy, [], now).verdicts) {
          if (verdict.rules.some((rule) => !guards.test(rule)) && verdict.keep)
            expect(ids.has(verdict.id), verdict.rules.join()).to.equal(true);
        }
      }),
    );
  });

  it('agrees with the slow obvious way: each rule for each snapshot', () => {
    fc.assert(
      fc.property(history, policies, clock, (snapshots, policy, now) => {
        const decision = decideRetention(snapshots, policy, instant(now), 'UTC');
        const wanted = wantedByRules(snapshots, policy, Date.parse(now));
        const closed = new Set(wanted);
        for (const id of wanted) for (const member of partsOf(snapshots, id)) closed.add(member);
        expect(decision.verdicts.filter((verdict) => verdict.keep).map((verdict) => verdict.id)).to.have.members([...closed]);
        expect(decision.deletions).to.equal(snapshots.length - closed.size);
      }),
    );
  });
});

/** The members that are there, from the target back to the first break. */
function partsOf(snapshots: readonly ChainSnapshot[], id: string): string[] {
  const target = snapshots.find((one) => one.id === id)!;
  const parts: string[] = [];
  let current: ChainSnapshot | undefined = target;
  while (current !== undefined && current.usable !== false) {
    parts.push(current.id);
    const wanted: ChainSnapshot['base'] =
      current.level === 'full' ? null : current.level === 'differential' ? current.base : current.parent;
    const next: ChainSnapshot | undefined = snapshots.find((one) => one.id === wanted?.id && one.sha256 === wanted.sha256);
    const base: ChainSnapshot['base'] | undefined = next?.level === 'full' ? next : next?.base;
    current = base?.id === target.base?.id && base?.sha256 === target.base?.sha256 ? next : undefined;
  }
  return parts;
}

function wantedByRules(snapshots: readonly ChainSnapshot[], policy: RetentionPolicy, now: number): Set<string> {
  const complete = (one: ChainSnapshot) => {
    const last = snapshots.find((other) => other.id === partsOf(snapshots, one.id).at(-1));
    return last?.level === 'full';
  };
  const past = snapshots.filter((one) => Date.parse(one.time) <= now);
  const good = past.filter(complete);
  const age = (one: ChainSnapshot) => now - Date.parse(one.time);
  const days = (text: string | undefined) => (text === undefined ? -1 : Number.parseInt(text, 10) * DAY);
  const monday = (time: number) => Math.floor((time / DAY + 3) / 7);
  const month = (time: number) => new Date(time).getUTCFullYear() * 12 + new Date(time).getUTCMonth();
  const periods: [number | undefined, (time: number) => number][] = [
    [policy.keepDaily, (time) => Math.floor(time / DAY)],
    [policy.keepWeekly, monday],
    [policy.keepMonthly, month],
    [policy.keepYearly, (time) => new Date(time).getUTCFullYear()],
  ];
  const isFirst = (one: ChainSnapshot, period: (time: number) => number) =>
    good.every((other) => {
      const order = Date.parse(other.time) - Date.parse(one.time) || other.id.localeCompare(one.id, 'en');
      return order >= 0 || period(Date.parse(other.time)) !== period(Date.parse(one.time));
    });
  const wanted = new Set<string>();
  const none = policy.levels === undefined && policy.keepWithin === undefined && periods.every(([limit]) => (limit ?? 0) === 0);
  for (const one of snapshots) {
    if (none || age(one) < 0 || age(one) <= days(policy.levels?.[one.level]) || age(one) <= days(policy.keepWithin)) wanted.add(one.id);
    for (const [limit, period] of periods) {
      if (good.includes(one) && period(now) - period(Date.parse(one.time)) < (limit ?? 0) && isFirst(one, period)) wanted.add(one.id);
    }
  }
  const fulls = (from: ChainSnapshot[]) => from.filter((one) => one.level === 'full');
  for (const guarded of [newest(good), newest(fulls(good)) ?? newest(fulls(past))]) if (guarded !== undefined) wanted.add(guarded.id);
  return wanted;
}
