import { randomBytes } from 'node:crypto';
import { closeSync, constants, fchmodSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import type { StatusResult, UnitStatus } from '../schemas/status.ts';
import type { NightNote } from '../timeline/last-night.ts';

/** What the metrics are made of. */
export interface Measured {
  /** Undefined when nobody could tell. */
  readonly status: StatusResult | undefined;
  readonly night: NightNote | undefined;
  /** When the newest run of the server ended and how long it took; undefined when there is none. */
  readonly lastRun: { readonly finished: number; readonly seconds: number } | undefined;
  /** Free room in bytes, by destination, of the repository's and the copies' file systems; those that do not say are missing. */
  readonly freeBytes: ReadonlyMap<string, number>;
}

type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly values: readonly { readonly labels: Labels; readonly value: number }[];
}

const STATUSES = ['ok', 'partial', 'damaged'] as const;
const seconds = (time: string | null): number | undefined => (time === null ? undefined : Date.parse(time) / 1000);

/** The state of the backups in Prometheus' text format (0.0.4), for node_exporter's textfile collector. */
export function metricsText(measured: Measured): string {
  return metricsOf(measured)
    .filter(({ values }) => values.length > 0)
    .map(({ name, help, values }) => {
      const lines = values.map(({ labels, value }) => `apiscp_backup_${name}${labelsText(labels)} ${value}\n`);
      return `# HELP apiscp_backup_${name} ${help}\n# TYPE apiscp_backup_${name} gauge\n${lines.join('')}`;
    })
    .join('');
}

function metricsOf({ status, night, lastRun, freeBytes }: Measured): Metric[] {
  const destination = status?.destination ?? '';
  const ofUnits = (name: string, help: string, tell: (unit: UnitStatus) => number | undefined, more?: (unit: UnitStatus) => Labels) => {
    const values = (status?.units ?? []).flatMap((unit) => {
      const value = tell(unit);
      return value === undefined ? [] : [{ labels: { site: unit.unit, ...more?.(unit), destination }, value }];
    });
    return { name, help, values };
  };
  const one = (name: string, help: string, value: number | undefined, labels: Labels = {}): Metric => {
    return { name, help, values: value === undefined ? [] : [{ labels, value }] };
  };
  const counts = Map.groupBy(status?.problems ?? [], ({ code }) => code);
  const began = night === undefined || night.tries === 0 ? undefined : night.begun / 1000;
  return [
    one('readable', 'Whether the state of the backups could be read.', status === undefined ? 0 : 1),
    {
      name: 'status',
      help: 'One for the state that the backups are in, else zero.',
      values: status === undefined ? [] : STATUSES.map((state) => ({ labels: { status: state }, value: Number(status.status === state) })),
    },
    one('enabled', 'Whether automatic backups are on.', status === undefined ? undefined : Number(status.automatic.enabled)),
    one('night_last_begin_timestamp_seconds', 'When the last automatic backup began.', began),
    one('night_done', 'Whether the last automatic backup was made.', began === undefined ? undefined : Number(night?.done === true)),
    one('last_run_timestamp_seconds', 'When the last run ended.', lastRun?.finished),
    one('last_duration_seconds', 'How long the last run took.', lastRun?.seconds),
    ofUnits(
      'last_success_timestamp_seconds',
      'The time of the last backup that can be restored.',
      ({ time }) => seconds(time),
      ({ level, domain }) => ({ ...(domain === null ? {} : { domain }), level: level ?? '' }),
    ),
    ofUnits('complete', 'Whether the last backup has everything.', ({ complete }) => Number(complete)),
    ofUnits('overdue', 'Whether a backup is overdue.', ({ overdue }) => Number(overdue)),
    ofUnits('failed', 'Whether the newest backup failed.', ({ outcome }) => Number(outcome === 'failed')),
    {
      name: 'bytes',
      help: 'File sizes that a restore gives back, and what its chain has added to the repository.',
      values: (status?.units ?? []).flatMap((unit) => [
        { labels: { site: unit.unit, kind: 'restored', destination }, value: unit.bytes },
        { labels: { site: unit.unit, kind: 'stored', destination }, value: unit.chainBytes },
      ]),
    },
    ofUnits('files', 'Entries that a restore gives back.', ({ entries }) => entries),
    ofUnits('warnings', 'Warnings of the newest backup.', ({ warnings }) => warnings),
    ofUnits('chain_length', 'Snapshots that a restore reads.', ({ chainLength }) => chainLength),
    ofUnits('verify_last_timestamp_seconds', 'When the backups of a site were verified last.', ({ verified }) => seconds(verified)),
    one('sites_without_backup', 'Accounts on the server without a backup.', status?.coverage.withoutBackup.length),
    one('sites_vanished', 'Accounts with backups that are not on the server.', status?.coverage.vanished.length),
    {
      name: 'problems',
      help: 'What needs attention, by its code.',
      values: [...counts].map(([code, { length }]) => ({ labels: { code }, value: length })),
    },
    ...ofCopies(status),
    {
      name: 'repository_free_bytes',
      help: 'Free room where the backups and their copies are.',
      values: [...freeBytes].map(([place, value]) => ({ labels: { destination: place }, value })),
    },
  ];
}

const COPY_STATUSES = ['ok', 'partial', 'failed', 'never'] as const;

/** How the copies stand, and each site in each of them. */
function ofCopies(status: StatusResult | undefined): Metric[] {
  const copies = status?.copies ?? [];
  const each = (name: string, help: string, tell: (copy: UnitStatus['copies'][number]) => number | undefined): Metric => ({
    ...{ name, help },
    values: (status?.units ?? []).flatMap(({ unit, copies: ofUnit }) =>
      ofUnit.flatMap((copy) => {
        const value = tell(copy);
        return value === undefined ? [] : [{ labels: { site: unit, copy: copy.name }, value }];
      }),
    ),
  });
  return [
    {
      name: 'copy_status',
      help: 'One for the state that the last copying ended in, else zero.',
      values: copies.flatMap(({ name, repository, status: ended }) =>
        COPY_STATUSES.map((state) => ({ labels: { copy: name, destination: repository, status: state }, value: Number(ended === state) })),
      ),
    },
    {
      name: 'copy_last_success_timestamp_seconds',
      help: 'When the last copying began that brought everything.',
      values: copies.flatMap(({ name, repository, lastGood }) => {
        const value = seconds(lastGood);
        return value === undefined ? [] : [{ labels: { copy: name, destination: repository }, value }];
      }),
    },
    each('copy_site_last_success_timestamp_seconds', 'The time that a copy gives back.', ({ time }) => seconds(time)),
    each('copy_site_overdue', 'Whether what a copy has of a site is overdue.', ({ overdue }) => Number(overdue)),
    each('copy_site_damaged', 'Whether a verification found damage in a copy.', ({ damaged }) => Number(damaged)),
    each('copy_site_verify_last_timestamp_seconds', 'When a site was verified last in a copy.', ({ verified }) => seconds(verified)),
  ];
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** The three characters that end a value or a line; what is no UTF-8 is none here either. */
function escaped(value: string): string {
  return value.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\r', ' ');
}

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/**
 * Puts a file in the place of the one before, so that a collector meets the old or the new one, whole. Everybody may read it. Its name while
 * it is written is not one that collectors read.
 */
export function writeMetrics(file: string, text: string): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const descriptor = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      writeFileSync(descriptor, text);
      fchmodSync(descriptor, 0o644);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}
