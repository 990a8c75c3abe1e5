import { expect } from 'chai';
import { boundedAnswer, shortTexts } from '../../core/rpc/bounded-answer.ts';

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const warning = (length: number) => ({ code: 'unreadable', message: 'x', path: 'ü'.repeat(length) });

describe('an answer that would be too long', () => {
  it('stays as it is while it fits', () => {
    const answer = { status: 'ok', units: [{ unit: 'site1', warnings: [warning(10)] }] };
    const { value, exclude } = boundedAnswer(answer, bytes(answer));
    expect(value).to.equal(answer);
    expect([...exclude]).to.deep.equal([]);
  });

  it('keeps every unit and its counts, and loses warnings, those of the longest list first', () => {
    const units = [
      { unit: 'site1', warningCount: 1000, warnings: Array.from({ length: 1000 }, () => warning(1000)) },
      { unit: 'site2', warningCount: 3, warnings: [warning(1), warning(2), warning(3)] },
      { unit: 'site3', warningCount: 0, warnings: [] },
    ];
    const { value, exclude } = boundedAnswer({ status: 'partial', units }, 100_000);
    const shown = (value as { units: typeof units }).units;
    expect(bytes(value)).to.be.at.most(100_000).and.at.least(90_000);
    expect(shown.map(({ unit, warningCount }) => [unit, warningCount])).to.deep.equal([
      ['site1', 1000],
      ['site2', 3],
      ['site3', 0],
    ]);
    expect(shown[1]).to.deep.equal(units[1]);
    expect(exclude.get('warnings')).to.equal(1000 - (shown[0] as (typeof units)[0]).warnings.length);
  });

  it('keeps the newest of snapshots, which come oldest first', () => {
    const snapshots = Array.from({ length: 5000 }, (_, id) => ({ id, unit: 'site1' }));
    const { value, exclude } = boundedAnswer({ snapshots }, 10_000);
    const shown = (value as { snapshots: typeof snapshots }).snapshots;
    expect(shown.at(-1)).to.deep.equal(snapshots.at(-1));
    expect(shown.map(({ id }) => id)).to.deep.equal(snapshots.slice(-shown.length).map(({ id }) => id));
    expect(exclude.get('snapshots')).to.equal(5000 - shown.length);
    expect(bytes(value)).to.be.at.most(10_000);
  });

  it('cuts what an error says, at every depth', () => {
    const error = { code: 1, data: { affected: ['a'.repeat(50), 'b'], advice: null } };
    expect(shortTexts(error, 10)).to.deep.equal({ code: 1, data: { affected: [`${'a'.repeat(10)}…`, 'b'], advice: null } });
  });
});
