import { printable } from '../context/printable.ts';
import type { CopyResult } from '../schemas/copy.ts';
import type { ExplainResult } from '../schemas/explain.ts';
import type { HoldResult, ReleaseResult } from '../schemas/hold.ts';
import type { LockResult } from '../schemas/lock.ts';
import type { PrunedUnit, PruneResult } from '../schemas/prune.ts';
import type { SimulateResult } from '../schemas/simulate.ts';
import { formatBytes, formatCount } from './quantities.ts';
import { renderTable } from './table.ts';

const CHART_WIDTH = 72;
const CHART_HEIGHT = 8;

function unitTable({ unit, unitId, status, reason, snapshots }: PrunedUnit): string {
  if (status === 'skipped') return `${unit} (${unitId}): skipped. ${printable(reason ?? '')}\n`;
  const columns = [{ title: 'SNAPSHOT' }, { title: 'LEVEL' }, { title: '' }, { title: 'WHY' }];
  const rows = snapshots.map(({ id, level, keep, rules }) => [id, level, keep ? 'keep' : 'delete', rules.join(', ')]);
  return `${unit} (${unitId})\n${renderTable(columns, rows)}`;
}

/** What became of each snapshot, by which rule, and what it freed. */
export function renderPrune({ status, dryRun, units, objects, bytes, runs, holds, accepted }: PruneResult): string {
  const deleted = units.reduce((sum, unit) => sum + unit.deleted, 0);
  const counts = [`${formatCount(deleted)} snapshots`, `${formatCount(objects)} objects of ${formatBytes(bytes)}`];
  const others = [`${formatCount(runs)} records of runs`, `${formatCount(holds)} expired holds`];
  const guarded = units.some((unit) => unit.needsConfirmation) ? 'This is more than the safety limit: confirm it with --yes.\n' : '';
  const summary = `${dryRun ? 'Would delete' : 'Deleted'} ${[...counts, ...others].join(', ')}.\n`;
  const losses =
    accepted === 0 ? '' : `${formatCount(accepted)} missing snapshots and records of runs ${dryRun ? 'would be' : 'are'} missed no more.\n`;
  return `${units.map(unitTable).join('\n')}${summary}${losses}${guarded}Prune: ${status}.\n`;
}

/** A copy a line, and what was wrong with it. */
export function renderCopy({ status, copies }: CopyResult): string {
  const lines = copies.flatMap(({ name, repository, status, snapshots, objects, bytes, problems, problemCount, error }) => [
    `${name}: ${status}. ${formatCount(snapshots)} snapshots, ${formatCount(objects)} objects of ${formatBytes(bytes)} to ${printable(repository)}`,
    ...[...problems, ...(error === null ? [] : [error])].map(({ message }) => `  ${printable(message)}`),
    ...(problemCount > problems.length ? [`  and ${formatCount(problemCount - problems.length)} more`] : []),
  ]);
  return `${lines.join('\n')}\nCopy: ${status}.\n`;
}

/** How many locks are longer now, and when the first ends. */
export function renderLock({ status, repository, mode, objects, asked, extended, soonest, problems }: LockResult): string {
  const counts = `${formatCount(objects)} objects, ${formatCount(asked)} asked for, ${formatCount(extended)} locked for longer`;
  const lines = problems.map(({ message }) => `  ${printable(message)}\n`).join('');
  return `${printable(repository)} (${mode}): ${counts}. The first lock ends ${soonest ?? 'never'}.\n${lines}Lock: ${status}.\n`;
}

/** A day a row, and below the bytes over time as a chart. */
export function renderSimulate({ sizes, days }: SimulateResult): string {
  const columns = [
    { title: 'DATE' },
    { title: 'TAKEN' },
    { title: 'DELETED', right: true },
    { title: 'FULL', right: true },
    { title: 'DIFF', right: true },
    { title: 'INCR', right: true },
    { title: 'OLDEST' },
    { title: 'HELD', right: true },
  ];
  const rows = days.map((day) => [
    ...[day.date, day.level, formatCount(day.deleted)],
    ...[day.full, day.differential, day.incremental].map(formatCount),
    ...[day.oldest, formatBytes(day.bytes)],
  ]);
  const basis = (['full', 'differential', 'incremental'] as const).map(
    (level) => `${level} ${formatBytes(sizes[level].bytes)}${sizes[level].basis === 'assumed' ? ' (assumed)' : ''}`,
  );
  return `${renderTable(columns, rows)}\n${chart(days)}A snapshot adds: ${basis.join(', ')}.\n`;
}

/** Columns for the days, or for some days together, as high as what is held at most. */
function chart(days: SimulateResult['days']): string {
  const perColumn = Math.ceil(days.length / CHART_WIDTH);
  const columns = Array.from({ length: Math.ceil(days.length / perColumn) }, (_, at) =>
    Math.max(...days.slice(at * perColumn, (at + 1) * perColumn).map(({ bytes }) => bytes)),
  );
  const most = Math.max(...columns);
  const label = formatBytes(most);
  const lines = Array.from({ length: CHART_HEIGHT }, (_, at) => {
    const level = ((CHART_HEIGHT - at - 0.5) / CHART_HEIGHT) * most;
    const bar = columns.map((bytes) => (bytes >= level ? '█' : ' ')).join('');
    return `${(at === 0 ? label : '').padStart(label.length)} |${bar.trimEnd()}\n`;
  });
  const dates = `${days[0]?.date ?? ''}${' '.repeat(Math.max(columns.length - 20, 1))}${days.at(-1)?.date ?? ''}`;
  return `${lines.join('')}${' '.repeat(label.length)}  ${dates}\n`;
}

export function renderHold({ unit, snapshot, until }: HoldResult): string {
  return `Snapshot ${snapshot} of ${unit} is kept ${until === null ? 'until it is released' : `until ${until}`}.\n`;
}

export function renderRelease({ snapshot, released }: ReleaseResult): string {
  return `Released ${snapshot} from ${formatCount(released)} ${released === 1 ? 'hold' : 'holds'}.\n`;
}

export function renderExplain({ path, included, exists, reason }: ExplainResult): string {
  const effect = included ? 'is backed up' : 'is not backed up';
  return `${printable(path.path)} ${effect}. ${printable(reason)}${exists ? '' : ' There is no such entry now.'}\n`;
}
