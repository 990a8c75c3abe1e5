import { expect } from 'chai';
import { RunProgress } from '../../../core/backup/run/run-progress.ts';
import type { Progress } from '../../../core/context/context.ts';
import { ProgressFeed, type ShownProgress } from '../../../core/context/progress-feed.ts';
import type { SnapshotRecord } from '../../../core/repository/record.ts';

const record = (entries: number, total: number) => ({ counts: { entries }, bytes: { total } }) as SnapshotRecord;

describe('the progress of a run', () => {
  let told: ShownProgress[];
  let progress: RunProgress;
  let now: number;

  /** What a front end shows when the run tells something each second. */
  beforeEach(() => {
    told = [];
    now = 0;
    const feed = new ProgressFeed(
      (shown) => void told.push(shown),
      () => now,
    );
    const tell = (each: Progress): void => {
      now += 1000;
      feed.add(each);
    };
    progress = new RunProgress(3, { progress: tell });
  });

  function begin(unit: string): void {
    progress.next(unit);
    progress.begin();
  }

  it('names the unit, which one it is and of how many', () => {
    for (const unit of ['site1', 'site2']) begin(unit);
    expect(told.map(({ unit, unitNumber, unitCount }) => [unit, unitNumber, unitCount])).to.deep.equal([
      ['site1', 1, 3],
      ['site2', 2, 3],
    ]);
  });

  it('expects what the last snapshot had, and forgets it with the next unit', () => {
    begin('site1');
    progress.expect(record(200, 4000), false);
    progress.done(50, 500);
    expect(told.at(-1)).to.deep.include({ entries: 50, entriesTotal: 200, bytes: 500, bytesTotal: 4000 });
    begin('site2');
    progress.expect(undefined, false);
    progress.done(50, 500);
    expect(told.at(-1)).to.not.have.any.keys('entriesTotal', 'bytesTotal', 'secondsLeft');
  });

  it('takes time left from entries where it compares, from bytes as well where it reads everything', () => {
    for (const [unit, isCompared, secondsLeft] of [
      ['site1', true, 6],
      ['site2', false, 7],
    ] as const) {
      begin(unit);
      progress.expect(record(200, 4000), isCompared);
      progress.done(50, 500);
      // Two seconds for the first fifty entries and 500 bytes.
      expect(told.at(-1)).to.deep.include({ rate: { entries: 25, bytes: 250 }, secondsLeft });
    }
  });

  it('never shows a total below what is done, and no time left then', () => {
    begin('site1');
    progress.expect(record(10, 1000), false);
    progress.done(50, 5000);
    expect(told.at(-1)).to.deep.include({ entriesTotal: 50, bytesTotal: 5000 }).and.not.have.property('secondsLeft');
  });

  it('tells a pause with what was done, and the end of it', () => {
    begin('site1');
    progress.expect(record(200, 4000), true);
    progress.done(50, 500);
    progress.pause();
    expect(told.at(-1)).to.deep.include({ phase: 'paused', unit: 'site1', entries: 50, entriesTotal: 200 });
    progress.done(60, 600);
    expect(told.at(-1)).to.deep.include({ phase: 'paused', entries: 60 });
    progress.resume();
    expect(told.at(-1)).to.deep.include({ phase: 'backup', entries: 60 });
  });

  it('begins with a pause where the load is too high from the first', () => {
    progress.pause();
    progress.next('site1');
    expect(told.map(({ phase }) => phase)).to.deep.equal(['paused']);
  });
});
