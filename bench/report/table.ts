import Table from 'cli-table3';
import { FLOOR } from '../tools/floor.ts';
import { OURS } from '../tools/ours.ts';
import { type Summary, wallRatio } from './summary.ts';

const HEAD = ['step', 'tool', 'wall s', 'x ours', 'x floor', '+ flush s', 'CPU s', 'peak MiB', 'stored MiB'];
const MIB = 2 ** 20;

function ratio(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(2);
}

/** Everything that was measured, a line for each tool in each step. */
export function renderTable(steps: readonly { readonly id: string; readonly title: string }[], summaries: readonly Summary[]): string {
  const style = { head: [], border: [], compact: true };
  const table = new Table({ head: HEAD, colAligns: ['left', 'left', ...HEAD.slice(2).map(() => 'right' as const)], style });
  for (const { id, title } of steps) {
    const lines = summaries.filter(({ step }) => step === id);
    for (const [index, { tool, wallSeconds, flushSeconds, processorSeconds, peakBytes, storedBytes }] of lines.entries()) {
      table.push([
        index === 0 ? title : '',
        tool,
        wallSeconds.toFixed(2),
        ratio(wallRatio(summaries, id, tool, OURS)),
        ratio(wallRatio(summaries, id, tool, FLOOR)),
        flushSeconds.toFixed(2),
        processorSeconds.toFixed(2),
        (peakBytes / MIB).toFixed(0),
        (storedBytes / MIB).toFixed(1),
      ]);
    }
  }
  return table.toString();
}
