import type { NightReport } from './night-report.ts';
import { oneLine } from './plain-text.ts';
import type { ProblemGroup, ProblemGroups } from './problem-groups.ts';

const DAY = 86_400_000;

/** The lines of a mail. What is in them is bounded already, and one line each. */
export function nightText(report: NightReport, { shown, left }: ProblemGroups, recoveredCount: number): string {
  const { time, began, steps, recovered } = report;
  const lines: string[] = [];
  for (const group of shown) lines.push(...groupLines(group, time), '');
  if (left > 0) lines.push(`There are ${left} more problems: see \`apiscp-backup status\`.`, '');
  if (recovered.length > 0) {
    lines.push('In order again:');
    for (const { key, since } of recovered) lines.push(`  ${recoveredText(key)}, ${longAgo(since, time)}`);
    if (recoveredCount > recovered.length) lines.push(`  and ${recoveredCount - recovered.length} more`);
    lines.push('');
  }
  if (shown.length === 0 && recovered.length === 0) lines.push('Nothing needs attention.', '');
  if (began !== null) {
    lines.push(`The last automatic backup began ${minute(began)}:`);
    for (const { step, status, message } of steps) lines.push(`  ${step}: ${status}: ${message}`);
    if (steps.length === 0) lines.push('  it has come to nothing yet');
    lines.push('');
  }
  lines.push('Everything about it, on the server: `apiscp-backup status` and `apiscp-backup doctor`.');
  lines.push('Who gets this, and when: the Scope backups.notify.');
  return `${lines.join('\n')}\n`;
}

function groupLines({ who, message, advice, since, count }: ProblemGroup, time: string): string[] {
  return [
    `- ${who === '' ? '' : `${who}: `}${message}`,
    `    ${since === null ? 'It is new.' : `It is so ${longAgo(since, time)}.`}`,
    `    What to do${count > 1 ? ', for example' : ''}: ${advice}`,
  ];
}

/** What each problem is in a few words, for when it is gone. */
const WORDS: Readonly<Record<string, string>> = {
  not_automatic: 'nothing started the backups',
  night_missed: 'no backup was made',
  night_failed: 'a step of the backup failed',
  night_unfinished: 'the backup did not come to its end',
  unreadable: 'the backups could not be read',
  copy_failed: 'a copy of the backups failed or is old',
  never_backed_up: 'had no backup',
  overdue: 'its backup was overdue',
  failed: 'its backup failed',
  incomplete: 'its backup lacked something',
  not_restorable: 'its newest backup could not be restored',
  unclear: 'something that says how the backups stand cannot be read',
  vanished: 'was not on the server',
  root_missing: 'a folder of it was missing',
  damaged: 'what is stored of it was damaged',
};

function recoveredText(key: string): string {
  const [code = '', unit] = key.split(' ');
  const words = WORDS[code] ?? code;
  return oneLine(unit === undefined ? words : `${unit}: ${words}`, 200);
}

/** `since 2026-11-20 01:31 UTC (6 days)`. A time that is not over yet is told without a length. */
export function longAgo(since: string, now: string): string {
  const length = Date.parse(now) - Date.parse(since);
  const days = Math.floor(length / DAY);
  const hours = Math.floor(length / 3_600_000);
  const text = days >= 2 ? ` (${days} days)` : hours >= 1 ? ` (${hours === 1 ? 'an hour' : `${hours} hours`})` : '';
  return `since ${minute(since)}${text}`;
}

/** A time of RFC 3339 UTC as people read it, to the minute. */
function minute(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}
