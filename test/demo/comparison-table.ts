import Table from 'cli-table3';
import { type Comparison, PROPERTIES } from '../fidelity/compare-trees.ts';

/** Comparisons side by side: for each property how many entries were compared and how many differ. */
export function comparisonTable(comparisons: ReadonlyMap<string, Comparison>): string[] {
  const columns = [...comparisons.keys()];
  const table = new Table({
    head: ['property', ...columns],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const property of PROPERTIES) {
    const cells = [...comparisons.values()].map(({ compared, different }) => {
      const [count, wrong] = [compared.get(property) ?? 0, different.get(property) ?? 0];
      return wrong > 0 ? `${wrong} of ${count} DIFFER` : `${count} equal`;
    });
    table.push([property, ...cells]);
  }
  return table.toString().split('\n');
}

/** The first differences in words. */
export function describeDifferences({ differences }: Comparison, limit: number): string[] {
  const shown = differences.slice(0, limit).map(({ path, property, first, second }) => {
    return `  ${JSON.stringify(path)}: ${property} was ${first ?? 'absent'}, is ${second ?? 'absent'}`;
  });
  return differences.length > limit ? [...shown, '  and more'] : shown;
}
