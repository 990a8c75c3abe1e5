import { expect } from 'chai';
import { chooseLevel } from '../../core/chain/choose-level.ts';
import { decideRetention } from '../../core/chain/decide-retention.ts';
import type { RetentionPolicy } from '../../core/chain/retention-policy.ts';
import { type ChainSnapshot, newest } from '../../core/chain/snapshot.ts';
import { DEFAULT_RETENTION, DEFAULT_SCHEDULE } from '../../core/config/defaults.ts';
import { BERLIN, snapshot } from './histories.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A Sunday, the day of a full or a differential. */
const SUNDAY = Date.parse('2026-11-08T02:00:00Z');

/** An account that is backed up by the default schedule, and pruned each night. */
class Account {
  snapshots: ChainSnapshot[] = [];
  /** The nights on which the prune would have asked. */
  readonly refusals: string[] = [];

  back(time: number): void {
    const now = Temporal.Instant.fromEpochMilliseconds(time);
    const { level } = chooseLevel(DEFAULT_SCHEDULE, this.snapshots, now, BERLIN);
    const parent = level === 'full' ? undefined : newest(this.snapshots);
    this.snapshots.push(snapshot(now.toString(), level, now.toString(), parent));
  }

  prune(time: number, retention: RetentionPolicy): void {
    const now = Temporal.Instant.fromEpochMilliseconds(time);
    const { verdicts, refusedSince } = decideRetention(this.snapshots, retention, now, BERLIN);
    if (refusedSince !== undefined) this.refusals.push(now.toString());
    const kept = new Set(verdicts.filter(({ keep }) => keep || refusedSince !== undefined).map(({ id }) => id));
    this.snapshots = this.snapshots.filter(({ id }) => kept.has(id));
  }

  /** Backups at equal distances through some days, and a prune after each day. */
  pass(start: number, days: number, perDay: number, retention: RetentionPolicy): void {
    for (let day = 0; day < days; day++) {
      for (let number = 0; number < perDay; number++) this.back(start + day * DAY + (number * DAY) / perDay);
      this.prune(start + day * DAY + ((perDay - 1) * DAY) / perDay + HOUR / 2, retention);
    }
  }
}

describe('retention from night to night', () => {
  const policies: readonly [string, RetentionPolicy][] = [
    ['by default', DEFAULT_RETENTION],
    ['of the last 7 days', { keepLast: 7, guardShare: 0.5 }],
    ['of a day', { keepDaily: 1, guardShare: 0.5 }],
    ['of two weeks', { keepWithin: '2 weeks', guardShare: 0.5 }],
    ['of days, weeks and months', { keepDaily: 7, keepWeekly: 4, keepMonthly: 6, guardShare: 0.5 }],
  ];
  for (const [name, retention] of policies) {
    for (const [perDay, days] of [
      [1, 100],
      [4, 60],
      [24, 24],
    ] as const) {
      it(`goes on without asking, whatever the day of the first backup: rules ${name}, ${perDay} a day`, () => {
        for (const first of perDay === 24 ? [0, 6] : [0, 1, 3, 6]) {
          const account = new Account();
          account.pass(SUNDAY + first * DAY, days, perDay, retention);
          expect(account.refusals, `${first} days after Sunday`).to.deep.equal([]);
          expect(account.snapshots.length).to.be.below(days * perDay);
        }
      });
    }
  }

  it('asks when a chain has expired in a pause, and when another policy expires it', () => {
    const paused = new Account();
    paused.pass(SUNDAY + DAY, 6, 1, DEFAULT_RETENTION);
    paused.pass(SUNDAY + 80 * DAY, 8, 1, DEFAULT_RETENTION);
    expect(paused.refusals).to.have.length(8);
    const changed = new Account();
    changed.pass(SUNDAY, 30, 1, { keepWithin: '90 days', guardShare: 0.5 });
    changed.pass(SUNDAY + 30 * DAY, 8, 1, { keepWithin: '2 days', guardShare: 0.5 });
    expect(changed.refusals).to.have.length(8);
  });

  it('goes on when two prunes were missed', () => {
    const account = new Account();
    account.pass(SUNDAY, 10, 24, DEFAULT_RETENTION);
    for (let hour = 0; hour < 72; hour++) account.back(SUNDAY + 10 * DAY + hour * HOUR);
    account.pass(SUNDAY + 13 * DAY, 1, 24, DEFAULT_RETENTION);
    expect(account.refusals).to.deep.equal([]);
  });
});
