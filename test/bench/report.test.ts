import { expect } from 'chai';
import { judge, renderVerdicts } from '../../bench/report/budgets.ts';
import { renderChart } from '../../bench/report/chart.ts';
import { median, summarize, wallRatio } from '../../bench/report/summary.ts';
import { renderTable } from '../../bench/report/table.ts';
import type { Sample } from '../../bench/sample.ts';
import { FLOOR } from '../../bench/tools/floor.ts';
import { OURS } from '../../bench/tools/ours.ts';

const MIB = 2 ** 20;

function sample(step: string, tool: string, wallSeconds: number, more: Partial<Sample> = {}): Sample {
  return { step, tool, round: 0, wallSeconds, processorSeconds: 1, peakBytes: 100 * MIB, flushSeconds: 0, storedBytes: 0, ...more };
}

describe('bench report', () => {
  it('takes medians of times and the highest peak', () => {
    const rounds = [5, 1, 2].map((wall, round) => sample('full-cold', OURS, wall, { round, peakBytes: wall * MIB }));
    const [summary, ...others] = summarize(rounds);
    expect(others).to.deep.equal([]);
    expect(summary).to.include({ tool: OURS, rounds: 3, wallSeconds: 2, peakBytes: 5 * MIB });
    expect(median([4, 1, 3, 2])).to.equal(2.5);
  });

  it('compares in the same step only', () => {
    const summaries = summarize([sample('full-cold', OURS, 3), sample('full-cold', 'borg', 6), sample('list', OURS, 1)]);
    expect(wallRatio(summaries, 'full-cold', 'borg', OURS)).to.equal(2);
    expect(wallRatio(summaries, 'list', 'borg', OURS)).to.equal(undefined);
    expect(wallRatio(summaries, 'full-cold', OURS, FLOOR)).to.equal(undefined);
  });

  it('shows a line for each tool with its ratios, and leaves blank what was not measured', () => {
    const summaries = summarize([sample('full-cold', OURS, 3), sample('full-cold', FLOOR, 4), sample('list', OURS, 1)]);
    const steps = [
      { id: 'full-cold', title: 'full, cold' },
      { id: 'list', title: 'list' },
    ];
    const cells = renderTable(steps, summaries)
      .split('\n')
      .filter((line) => line.startsWith('│'))
      .map((line) => line.split('│').map((cell) => cell.trim()));
    const shown = cells.slice(1).map((line) => line.slice(1, 6));
    expect(shown).to.deep.equal([
      ['full, cold', OURS, '3.00', '1.00', '0.75'],
      ['', FLOOR, '4.00', '1.33', '1.00'],
      ['list', OURS, '1.00', '1.00', ''],
    ]);
  });

  it('judges each budget, and tells which were set for another size', () => {
    const summaries = summarize([
      sample('full-cold', OURS, 8, { storedBytes: 107 }),
      sample('full-cold', FLOOR, 10, { storedBytes: 100 }),
      sample('unchanged-warm', OURS, 2),
      sample('changed', OURS, 5),
      sample('changed', FLOOR, 1.5),
    ]);
    const verdicts = judge({ summaries, bytesReadForOneFile: 5 * MIB }, 'medium');
    const of = (beginning: string) => verdicts.find(({ title }) => title.startsWith(beginning));
    expect(of('full of mixed files, cold, to tar')).to.include({ verdict: 'met', actual: 0.8, counts: true });
    expect(of('full of small files')).to.include({ verdict: 'not met', counts: false });
    expect(of('stored by a full')).to.include({ verdict: 'not met', actual: 1.07 });
    expect(of('1 % changed')).to.include({ verdict: 'met', actual: 2 });
    expect(of('one file, newest of 30, read')).to.include({ verdict: 'not met', actual: 5, counts: false });
    expect(of('nothing changed, warm')).to.include({ verdict: 'not measured', actual: undefined });
    expect(renderVerdicts(verdicts).filter((line) => line.includes('set for another size'))).to.have.length(
      verdicts.filter(({ counts }) => !counts).length,
    );
  });

  it('draws a bar for each tool, scaled to the slowest of its step, and escapes names', () => {
    const summaries = summarize([sample('list', OURS, 1), sample('list', 'a<b', 4)]);
    const chart = renderChart(
      't & c',
      [
        { id: 'list', title: 'list' },
        { id: 'full-cold', title: 'never measured' },
      ],
      summaries,
    );
    expect(chart.match(/<rect [^>]*width="(\d+)"/g)).to.have.length(2);
    expect(chart).to.include('width="150"').and.include('width="600"');
    expect(chart).to.include('a&lt;b').and.include('t &amp; c').and.not.include('never measured');
  });
});
