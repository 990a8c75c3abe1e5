import { expect } from 'chai';
import { decideRetention } from '../../core/chain/decide-retention.ts';
import type { RetentionPolicy } from '../../core/chain/retention-policy.ts';
import type { ChainSnapshot } from '../../core/chain/snapshot.ts';
import { instant, snapshot } from './histories.ts';

const NOW = '2026-11-20T12:00:00Z';
const DAY = 86_400_000;

function daysAgo(days: number): string {
  return new Date(Date.parse(NOW) - days * DAY).toISOString();
}

function full(days: number, more: Partial<ChainSnapshot> = {}): ChainSnapshot {
  return snapshot(`full-${days}`, 'full', daysAgo(days), undefined, more);
}

function kept(snapshots: readonly ChainSnapshot[], policy: Partial<RetentionPolicy>, confirmed = false): string[] {
  const { verdicts } = decideRetention(snapshots, { guardShare: 0.5, ...policy }, instant(NOW), 'UTC', [], confirmed);
  return verdicts.filter(({ keep }) => keep).map(({ id }) => id);
}

const unseen = { complete: false };

describe('retention and snapshots that are not all there', () => {
  it('keeps the last complete full and the last complete state, however many incomplete ones came after them', () => {
    const good = full(100);
    const state = snapshot('state', 'incremental', daysAgo(99), good);
    const bad = Array.from({ length: 4 }, (_, week) => full(40 - 7 * week, unseen));
    expect(kept([good, state, ...bad], { levels: { full: '20 days', incremental: '4 days' } })).to.deep.equal([
      good.id,
      'state',
      'full-19',
    ]);
    expect(kept([good, state, ...bad, full(0)], { levels: { full: '10 days' } }), 'a complete one takes their place').to.deep.equal([
      'full-0',
    ]);
  });

  it('keeps the newest full where none is complete', () => {
    expect(kept([full(50, unseen), full(40, unseen)], { levels: { full: '2 days' } })).to.deep.equal(['full-40']);
  });

  it('lets no incomplete one stand for a day alone, nor push complete ones out by their number', () => {
    const morning = snapshot('morning', 'full', '2026-11-19T01:00:00Z', undefined, unseen);
    const noon = snapshot('noon', 'full', '2026-11-19T12:00:00Z');
    const evening = snapshot('evening', 'full', '2026-11-19T20:00:00Z');
    expect(kept([morning, noon, evening, full(0)], { keepDaily: 2 })).to.deep.equal(['morning', 'noon', 'full-0']);
    const bad = Array.from({ length: 10 }, (_, day) => full(9 - day, unseen));
    expect(kept([full(30), full(20), ...bad], { keepLast: 2 })).to.deep.equal(['full-30', 'full-20', 'full-1', 'full-0']);
  });

  it('keeps the last one that holds what later ones have lost, until a person says that it may go', () => {
    const whole = [full(50, { held: 1000 }), full(40, { held: 1000 })];
    const emptied = [full(30, { held: 3 }), full(20, { held: 3 })];
    expect(kept([...whole, ...emptied], { levels: { full: '2 days' } })).to.deep.equal(['full-40', 'full-20']);
    expect(kept([...whole, ...emptied], { levels: { full: '2 days' } }, true)).to.deep.equal(['full-20']);
    const shrunk = [full(30, { held: 400 })];
    expect(kept([...whole, ...shrunk], { levels: { full: '2 days' } })).to.deep.equal(['full-30']);
    const halfRead = [full(30, { held: 400, ...unseen })];
    const never = whole.map((one) => ({ ...one, ...unseen }));
    expect(kept([...never, ...halfRead], { levels: { full: '2 days' } })).to.deep.equal(['full-40', 'full-30']);
  });
});

describe('retention and rules of 0', () => {
  const all = Array.from({ length: 6 }, (_, day) => full(200 - day));

  it('takes them as if they were not there', () => {
    for (const rule of ['keepLast', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly']) {
      expect(kept(all, { [rule]: 0 }), rule).to.have.length(6);
      expect(kept(all, { [rule]: 0, keepWithin: '198 days' }), rule).to.deep.equal(kept(all, { keepWithin: '198 days' }));
    }
    expect(kept(all, { keepLast: 0, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0, levels: {} })).to.have.length(6);
  });

  it('keeps nothing but the newest where that is said, and that nobody is to be asked', () => {
    expect(kept(all, { keepLast: 0, guardShare: 1 })).to.deep.equal(['full-195']);
    expect(kept(all, { guardShare: 1 })).to.have.length(6);
  });
});

describe('retention of long chains', () => {
  /** How often the links between the snapshots are looked at. */
  function looksAt(length: number): number {
    let looks = 0;
    const chain: ChainSnapshot[] = [full(200)];
    for (let number = 1; number < length; number++) {
      const before = chain.at(-1) as ChainSnapshot;
      const made = snapshot(`i${number}`, 'incremental', new Date(Date.parse(daysAgo(190)) + number * 1000).toISOString(), before);
      const { parent } = made;
      Object.defineProperty(made, 'parent', {
        get: () => {
          looks++;
          return parent;
        },
      });
      chain.push(made);
    }
    expect(kept(chain, { levels: { full: '2 days', incremental: '189 days' } })).to.have.length(length);
    return looks;
  }

  it('looks at each link a few times, however long they are', () => {
    expect(looksAt(2880)).to.be.below(5 * 2880);
  });
});
