import { printable } from '../context/printable.ts';
import type { Difference, DiffResult } from '../schemas/diff.ts';
import type { FindResult, FoundPath } from '../schemas/find.ts';
import type { HistoryEvent, HistoryResult, VersionResult } from '../schemas/history.ts';
import type { ListedEntry, LsResult } from '../schemas/ls.ts';
import type { EntryResult, PointInTimeResult } from '../schemas/reading.ts';
import { formatCount } from './quantities.ts';

/** A part of a long answer, as lines; `isFirst` is false for the pages that follow the first. */
export type PageRenderer<Result> = (result: Result, isFirst: boolean) => string;

const KIND_LETTERS = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  'character-device': 'c',
  'block-device': 'b',
} as const;

/** The first characters of a digest: enough to see that two are not the same. */
const SHORT_DIGEST = 12;

/** The bits of st_mode (inode(7)) that take the place of an x, by the place: set-uid, set-gid, sticky. */
const SPECIAL_BITS = [
  [0o4000, 's', 'S'],
  [0o2000, 's', 'S'],
  [0o1000, 't', 'T'],
] as const;

/** `drwxr-s---`, as ls(1) shows it. */
export function modeText(kind: EntryResult['kind'], octal: string): string {
  const mode = Number.parseInt(octal, 8);
  const classes = SPECIAL_BITS.map(([special, withX, withoutX], index) => {
    const bits = mode >> (6 - 3 * index);
    const last = (mode & special) === 0 ? ['-', 'x'] : [withoutX, withX];
    return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${last[bits & 1]}`;
  });
  return KIND_LETTERS[kind] + classes.join('');
}

/** To the second. */
function timeText(time: string): string {
  return `${time.slice(0, time.indexOf('.') < 0 ? -1 : time.indexOf('.'))}Z`;
}

function propertiesText({ kind, mode, uid, gid, size, mtime }: EntryResult): string {
  return `${modeText(kind, mode)} ${`${uid}:${gid}`.padEnd(11)} ${String(size).padStart(12)} ${timeText(mtime)}`;
}

function targetText(entry: EntryResult): string {
  return entry.target === null ? '' : ` -> ${printable(entry.target.path)}`;
}

/** What a point in time was understood as. */
export function pointInTimeText({ text, snapshot, taken, stood }: PointInTimeResult): string {
  const since = stood === null ? '' : `, nothing changed until ${stood}`;
  return printable(`${text}: snapshot ${snapshot}, taken ${taken}${since}`);
}

function listedLine(entry: ListedEntry): string {
  if (!('mode' in entry)) return `${'d'.padEnd(10)} ${''.padEnd(45)} ${printable(entry.path)}\n`;
  return `${propertiesText(entry)} ${printable(entry.path)}${targetText(entry)}\n`;
}

interface ShownWarning {
  readonly message: string;
  readonly path?: string;
}

/** What an answer lacks, a line each. */
function lackingLines(warnings: readonly ShownWarning[]): string {
  return warnings.map(({ path, message }) => `! ${printable(path === undefined ? message : `${path}: ${message}`)}\n`).join('');
}

/** A line an entry, as ls(1) has them, with bytes, numbers of owners and times in UTC. */
export const renderLs: PageRenderer<LsResult> = ({ unit, moment, entries, warnings }, isFirst) => {
  const title = isFirst ? `${unit}, ${pointInTimeText(moment)}\n` : '';
  return title + entries.map(listedLine).join('') + lackingLines(warnings);
};

function versionLine(version: VersionResult): string {
  const { first, last, snapshots } = version;
  const range = snapshots === 1 ? first : `${first} to ${last} (${formatCount(snapshots)} snapshots)`;
  return `  ${propertiesText(version)} in ${range}${targetText(version)}\n`;
}

function foundLines({ path, deleted, versions }: FoundPath): string {
  return `${printable(path)}${deleted ? ' (deleted)' : ''}\n${versions.map(versionLine).join('')}`;
}

/** A line a path, below it a line a version. */
export const renderFind: PageRenderer<FindResult> = ({ found, snapshots, warnings }, isFirst) => {
  if (isFirst && found.length === 0) return `Nothing found in ${formatCount(snapshots)} snapshots.\n${lackingLines(warnings)}`;
  return found.map(foundLines).join('') + lackingLines(warnings);
};

function eventLine({ event, firstTaken, first, changes, entry }: HistoryEvent): string {
  const what = changes.length === 0 ? event : `${event}: ${changes.join(', ')}`;
  const properties = entry === null ? '' : `  ${propertiesText(entry)} ${(entry.digest ?? '').slice(0, SHORT_DIGEST)}${targetText(entry)}`;
  return `${firstTaken}  ${first}  ${what}\n${properties === '' ? '' : `${properties}\n`}`;
}

/** What happened to a path, newest first; below each event the entry as it was then. */
export const renderHistory: PageRenderer<HistoryResult> = ({ unit, path, snapshots, events, warnings }, isFirst) => {
  const title = isFirst ? `${printable(path)} in ${formatCount(snapshots)} snapshots of ${unit}, newest first\n` : '';
  return title + events.map(eventLine).join('') + lackingLines(warnings);
};

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

function differenceLine({ difference, path, changes, before, after }: Difference): string {
  const kind = (after ?? before)?.kind === 'directory' ? '/' : '';
  const what = changes.length === 0 ? '' : `  (${changes.join(', ')})`;
  return `${SIGNS[difference]} ${printable(path)}${kind}${what}\n`;
}

/** A line a path: + added, - removed, ~ changed and in what. */
export const renderDiff: PageRenderer<DiffResult> = ({ unit, from, to, differences, warnings }, isFirst) => {
  const title = isFirst
    ? `${unit}, from ${pointInTimeText(from)}\n  to ${to === null ? 'the server as it is now' : pointInTimeText(to)}\n`
    : '';
  const nothing = isFirst && differences.length === 0 ? 'No differences.\n' : '';
  return title + differences.map(differenceLine).join('') + nothing + lackingLines(warnings);
};
