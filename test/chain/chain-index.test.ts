import { expect } from 'chai';
import fc from 'fast-check';
import { ChainIndex, chainMembers } from '../../core/chain/chain-index.ts';
import type { ChainSnapshot } from '../../core/chain/snapshot.ts';
import { Failure } from '../../core/failure.ts';
import { history, snapshot } from './histories.ts';

const full = snapshot('full', 'full', '2026-11-01T01:00:00Z');
const monday = snapshot('monday', 'incremental', '2026-11-02T01:00:00Z', full);
const tuesday = snapshot('tuesday', 'incremental', '2026-11-03T01:00:00Z', monday);
const sunday = snapshot('sunday', 'differential', '2026-11-08T01:00:00Z', tuesday);
const after = snapshot('after', 'incremental', '2026-11-09T01:00:00Z', sunday);
const week = [full, monday, tuesday, sunday, after];

function ids(snapshots: readonly ChainSnapshot[], target: string): string[] {
  return chainMembers(new ChainIndex(snapshots).select(target)).map((member) => member.id);
}

function failure(snapshots: readonly ChainSnapshot[], target: string): Failure {
  try {
    new ChainIndex(snapshots).select(target);
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error('no failure');
}

/** The slow obvious way: all that must hold, tried out for every sequence of links. */
function modelChain(snapshots: readonly ChainSnapshot[], target: ChainSnapshot): string[] | undefined {
  if (target.usable === false) return undefined;
  if (target.level === 'full') return [target.id];
  const wanted = target.level === 'incremental' ? target.parent : target.base;
  for (const candidate of snapshots) {
    if (candidate.id !== wanted?.id || candidate.sha256 !== wanted.sha256) continue;
    if (target.level === 'differential' && candidate.level !== 'full') continue;
    const chain = modelChain(snapshots, candidate);
    const [first] = chain ?? [];
    if (first !== undefined && first === target.base?.id) return [...(chain as string[]), target.id];
  }
  return undefined;
}

describe('chain selection', () => {
  it('needs the full, the newest differential and the incrementals after it', () => {
    expect(ids(week, 'after')).to.deep.equal(['full', 'sunday', 'after']);
    expect(ids(week, 'tuesday')).to.deep.equal(['full', 'monday', 'tuesday']);
    expect(ids(week, 'sunday')).to.deep.equal(['full', 'sunday']);
    expect(ids(week, 'full')).to.deep.equal(['full']);
    expect(new ChainIndex(week).select('after')).to.deep.equal({ full, differential: sunday, incrementals: [after] });
  });

  it('does without the incrementals that a differential has taken in', () => {
    expect(ids([full, sunday, after], 'after')).to.deep.equal(['full', 'sunday', 'after']);
  });

  it('begins a new chain with a synthetic full, although it has a parent', () => {
    const synthetic = snapshot('synthetic', 'full', '2026-11-10T01:00:00Z', after, { synthetic: true });
    const next = snapshot('next', 'incremental', '2026-11-11T01:00:00Z', synthetic);
    expect(ids([...week, synthetic, next], 'next')).to.deep.equal(['synthetic', 'next']);
  });

  it('follows links where the clock says otherwise', () => {
    const early = snapshot('early', 'incremental', '1970-01-01T00:00:00Z', tuesday);
    const late = snapshot('late', 'full', '2026-11-02T12:00:00Z');
    expect(ids([late, early, ...week], 'early')).to.deep.equal(['full', 'monday', 'tuesday', 'early']);
  });

  it('keeps the two arms of a fork apart', () => {
    const fork = snapshot('fork', 'incremental', '2026-11-10T01:00:00Z', monday);
    expect(ids([...week, fork], 'fork')).to.deep.equal(['full', 'monday', 'fork']);
  });

  it('names the snapshot that is missing (case 23)', () => {
    const failed = failure([full, tuesday], 'tuesday');
    expect(failed.code).to.equal('chain_broken');
    expect(failed.affected).to.deep.equal(['tuesday', 'monday']);
    expect(failed.message).to.contain('snapshot monday, which tuesday builds on, is missing');
  });

  it('refuses a snapshot of the right name that is another record', () => {
    const foreign = { ...monday, sha256: 'f'.repeat(64) };
    expect(failure([full, foreign, tuesday], 'tuesday').affected).to.deep.equal(['tuesday', 'monday']);
  });

  it('refuses a member that belongs to another full (case 23)', () => {
    const other = snapshot('other', 'full', '2026-11-01T02:00:00Z');
    const strayed = { ...tuesday, base: { id: other.id, sha256: other.sha256 } };
    const failed = failure([full, other, monday, strayed], 'tuesday');
    expect(failed.code).to.equal('chain_broken');
    expect(failed.message).to.contain('monday belongs to another chain');
  });

  it('refuses a damaged member, a circle and a differential on something that is not a full', () => {
    expect(failure([full, { ...monday, usable: false }, tuesday], 'tuesday').message).to.contain('monday is damaged');
    const circle = { ...monday, parent: { id: tuesday.id, sha256: tuesday.sha256 } };
    expect(failure([full, circle, tuesday], 'tuesday').message).to.contain('circle');
    const wrong = { ...sunday, base: { id: monday.id, sha256: monday.sha256 } };
    expect(failure([full, monday, wrong], 'sunday').message).to.contain('is not a full');
    expect(failure([{ ...monday, parent: null }], 'monday').code).to.equal('chain_broken');
    expect(failure(week, 'nobody').code).to.equal('snapshot_unknown');
  });

  it('agrees with the slow obvious way on any history', () => {
    fc.assert(
      fc.property(history, (snapshots) => {
        const index = new ChainIndex(snapshots);
        for (const target of snapshots) {
          const expected = modelChain(snapshots, target);
          expect(index.isComplete(target.id)).to.equal(expected !== undefined);
          if (expected === undefined) expect(failure(snapshots, target.id).code).to.equal('chain_broken');
          else expect(ids(snapshots, target.id)).to.deep.equal(expected);
        }
      }),
    );
  });
});
