import Table from 'cli-table3';
import { printable } from '../context/printable.ts';

/** A number of the table stands at the right. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

const NO_LINES = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ].map((part) => [part, '']),
);

/**
 * Rows of text below titles (none when all are empty), without lines, columns two spaces apart. Every cell is made harmless for a terminal.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.some(({ title }) => title !== '') ? columns.map(({ title }) => title) : [],
    colAligns: columns.map(({ right }) => (right ? 'right' : 'left')),
    chars: { ...NO_LINES, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push(row.map(printable));
  return table
    .toString()
    .split('\n')
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
