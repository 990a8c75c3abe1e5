import { printable } from '../context/printable.ts';
import type { DownloadResult } from '../schemas/download.ts';
import type { InitResult } from '../schemas/init.ts';
import type { JobResult } from '../schemas/jobs.ts';
import type { Keys, KeysResult } from '../schemas/keys.ts';
import type { ListResult, SnapshotSummary } from '../schemas/list.ts';
import type { MethodName } from '../schemas/messages.ts';
import type { PlanResult } from '../schemas/plan.ts';
import type { RepairResult } from '../schemas/repair.ts';
import type { RestoreResult } from '../schemas/restore.ts';
import type { RunResult } from '../schemas/run.ts';
import type { VerifyResult } from '../schemas/verify.ts';
import { renderDatabases, renderRestoreDatabase, restoredDatabaseLines } from './database-results.ts';
import { renderFleetStatus } from './fleet-results.ts';
import { renderAdopt, renderForget, renderJoin, renderServers } from './identity-results.ts';
import { renderJob, renderJobs, renderJobView, renderLog, renderStart } from './job-results.ts';
import { pointInTimeText, renderDiff, renderFind, renderHistory, renderLs } from './listings.ts';
import { formatBytes, formatCount } from './quantities.ts';
import { renderCopy, renderExplain, renderHold, renderLock, renderPrune, renderRelease, renderSimulate } from './retention-results.ts';
import { renderAccount, renderDoctor, renderNightly, renderStatus, renderWatch } from './service-results.ts';
import { renderTable } from './table.ts';

interface ShownWarning {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
}

/** Warnings as lines, and how many more there are. */
function warningLines(warnings: readonly ShownWarning[], count: number, place = ''): string {
  const lines = warnings.map(
    ({ code, message, path }) => `  ${printable([place, path ?? '', message].filter(Boolean).join(': '))} (${code})\n`,
  );
  const more = count - warnings.length;
  if (more > 0) lines.push(`  and ${formatCount(more)} more warnings\n`);
  return lines.join('');
}

function renderInit({ repository, id, created, keys, fingerprint, lacks }: InitResult): string {
  const signs = `This server signs what it writes with the key ${fingerprint}: keep a note of that elsewhere.\n`;
  return `${created ? 'Made' : 'Found'} the repository ${printable(repository)} (${id}).\n${keysText(keys)}${signs}${lacks.map(({ message }) => `Lacking: ${printable(message)}.\n`).join('')}`;
}

function keysText({ mode, recipients, serverRecipient, passphraseRecipient }: Keys): string {
  if (mode === 'plain') {
    return 'Not encrypted: whoever can read the repository, such as a thief of its disk, can read every file of every account.\n';
  }
  const who = recipients.map((recipient) => {
    if (recipient === serverRecipient) return `  ${recipient} (this server)\n`;
    return `  ${recipient}${recipient === passphraseRecipient ? ' (the passphrase)' : ''}\n`;
  });
  const server =
    mode === 'write-only'
      ? 'This server can only write: restores need the identity of one of them, and when its state directory is lost the next backups are fulls.'
      : 'This server can read it, too: owners restore by themselves. So can whoever takes over the server.';
  return `Encrypted for\n${who.join('')}${server}\n`;
}

function renderKeys({ changed, keys }: KeysResult): string {
  return `${keysText(keys)}${changed ? 'This holds for what is stored from now on; what is stored already stays as it is.\n' : ''}`;
}

const MOST_PATHS = 5;

function renderRun({ status, units, databaseExport, unrecorded }: RunResult): string {
  const columns = [
    { title: 'UNIT' },
    { title: 'RESULT' },
    { title: 'LEVEL' },
    { title: 'SNAPSHOT' },
    { title: 'ENTRIES', right: true },
    { title: 'CHANGED', right: true },
    { title: 'READ', right: true },
    { title: 'STORED', right: true },
  ];
  const rows = units.map((unit) => [
    unit.unit,
    unit.status,
    unit.level ?? '',
    unit.snapshot ?? '',
    formatCount(unit.entries),
    formatCount(unit.changed),
    formatBytes(unit.bytesRead),
    formatBytes(unit.bytesStored),
  ]);
  const warnings = units.map((unit) => warningLines(unit.warnings, unit.warningCount, unit.unit));
  const errors = units.flatMap(({ unit, error }) => (error === null ? [] : [`  ${unit}: ${printable(error.message)} (${error.code})\n`]));
  if (databaseExport?.error === null && databaseExport.said !== null)
    errors.push(`  the panel’s export said: ${printable(databaseExport.said)}\n`);
  if (databaseExport?.error != null) errors.push(`  ${printable(databaseExport.error.message)} (${databaseExport.error.code})\n`);
  if (unrecorded !== undefined)
    errors.push(`  The record of this run could not be written: ${printable(unrecorded.message)} (${unrecorded.code})\n`);
  return `${renderTable(columns, rows)}${errors.join('')}${warnings.join('')}${liveFilesLine(units)}Backup: ${status}.\n`;
}

/** What is normal is said once for all units. */
function liveFilesLine(units: RunResult['units']): string {
  const replaced = units.filter(({ rawDatabases = [] }) => rawDatabases.some(({ replacedBy }) => replacedBy !== null));
  const paths = [...new Set(replaced.flatMap(({ rawDatabases = [] }) => rawDatabases.map(({ path }) => path)))].sort();
  if (paths.length === 0) return '';
  const where = `${paths.slice(0, MOST_PATHS).map(printable).join(', ')}${paths.length > MOST_PATHS ? ' …' : ''}`;
  const count = `${formatCount(replaced.length)} ${replaced.length === 1 ? 'unit' : 'units'}`;
  return `Left out of ${count}: live database files (${where}), because copies of them cannot be restored; the databases are backed up as dumps.\n`;
}

/** Where several accounts had one name, an earlier one goes by the id of its unit, which commands take as well. */
function namesIn(snapshots: readonly SnapshotSummary[]): (snapshot: SnapshotSummary) => string {
  const ids = new Map<string, Set<string>>();
  for (const { unit, unitId } of snapshots) ids.set(unit, (ids.get(unit) ?? new Set()).add(unitId));
  return ({ unit, unitId, current }) => (current || ids.get(unit)?.size === 1 ? unit : unitId);
}

function renderList({ snapshots }: ListResult): string {
  if (snapshots.length === 0) return 'No snapshots.\n';
  const nameOf = namesIn(snapshots);
  const columns = [
    { title: 'UNIT' },
    { title: 'DOMAIN' },
    { title: 'SNAPSHOT' },
    { title: 'LEVEL' },
    { title: 'TIME' },
    { title: 'ENTRIES', right: true },
    { title: 'SIZE', right: true },
    { title: 'STORED', right: true },
    { title: 'WARNINGS', right: true },
  ];
  const rows = snapshots.map((snapshot) => [
    nameOf(snapshot),
    printable(snapshot.domain ?? ''),
    snapshot.id,
    snapshot.synthetic ? `${snapshot.level} (synthetic)` : snapshot.level,
    snapshot.time,
    formatCount(snapshot.entries),
    formatBytes(snapshot.bytesTotal),
    formatBytes(snapshot.bytesStored),
    formatCount(snapshot.warningCount),
  ]);
  const broken = snapshots.flatMap(({ id, obstacle }) => (obstacle === null ? [] : [`${id} cannot be restored: ${printable(obstacle)}\n`]));
  return renderTable(columns, rows) + broken.join('');
}

function renderRestore(result: RestoreResult): string {
  const rows = [
    ['selected', formatCount(result.entries)],
    [result.dryRun ? 'would be written' : 'written', `${formatCount(result.written)} (${formatBytes(result.bytesWritten)})`],
    ['already right', formatCount(result.unchanged)],
    ['left as they are', formatCount(result.skipped)],
    [result.dryRun ? 'would be deleted' : 'deleted', formatCount(result.deleted)],
    ['failed', formatCount(result.failed)],
    ['read from the repository', formatBytes(result.bytesFetched)],
  ];
  const title = `${result.unit}, ${pointInTimeText(result.moment)}\n`;
  const table = renderTable([{ title: '' }, { title: '', right: true }], rows);
  const { databaseError: error, databaseNotes = [] } = result;
  const databases = [
    ...(error === undefined ? [] : [`No database was restored: ${printable(error.message)} (${error.code})\n`]),
    ...databaseNotes.map((note) => `${printable(note)}\n`),
    ...(result.databases ?? []).flatMap(restoredDatabaseLines),
  ].join('');
  return `${title}${table}${warningLines(result.warnings, result.warningCount)}${databases}Restore: ${result.status}.\n`;
}

function renderDownload({ unit, moment, entries, bytes, file, expires, warnings, warningCount, status }: DownloadResult): string {
  const where = file === null ? '' : `${printable(file)}, until ${expires}\n`;
  const what = `${unit}, ${pointInTimeText(moment)}: ${formatCount(entries)} entries, ${formatBytes(bytes)}\n`;
  return `${what}${where}${warningLines(warnings, warningCount)}Download: ${status}.\n`;
}

function renderVerify({ status, snapshots, objects, entries, bytesRead, damages, warnings, warningCount }: VerifyResult): string {
  const lines = damages.flatMap((damage) => [
    `${printable(`${damage.object}: ${damage.message}`)} (${damage.code})\n`,
    `  snapshots: ${printable(damage.snapshots.join(', '))}\n`,
    ...damage.files.map(({ path }) => `  ${printable(path)}\n`),
    ...(damage.fileCount > damage.files.length ? [`  and ${formatCount(damage.fileCount - damage.files.length)} more files\n`] : []),
  ]);
  const checked = `${formatCount(snapshots)} snapshots, ${formatCount(objects)} objects, ${formatCount(entries)} entries, ${formatBytes(bytesRead)} read`;
  return `${lines.join('')}${warningLines(warnings, warningCount)}Verify: ${status}. ${checked}.\n`;
}

function renderRepair({ status, dryRun, objects, bytesRead, healed, lost, protected: renewed }: RepairResult): string {
  const lines = [
    ...healed.map(({ object, from }) => `${printable(object)}: ${dryRun ? 'can be healed' : 'healed'} by ${SOURCES[from]}\n`),
    ...renewed.map((object) => `${printable(object)}: its recovery data ${dryRun ? 'would be' : 'was'} made anew\n`),
    ...lost.map(
      ({ object, code, message, snapshots }) =>
        `${printable(`${object}: ${message}`)} (${code})\n  snapshots: ${printable(snapshots.join(', '))}\n`,
    ),
  ];
  const counts = `${formatCount(healed.length)} healed, ${formatCount(lost.length)} beyond repair`;
  return `${lines.join('')}Repair: ${status}. ${formatCount(objects)} objects, ${formatBytes(bytesRead)} read, ${counts}.\n`;
}

const SOURCES = {
  'recovery-data': 'its recovery data',
  'state-directory': 'the copy in the state directory',
  'other-objects': 'what other objects say',
} as const;

/** What a restore would do, with the paths that it would take away. */
function renderPlan(result: PlanResult): string {
  const { snapshots = [], packs = [], overwrite = [], overwriteCount = 0, delete: deleted = [] } = result.plan ?? {};
  const paths = (title: string, list: readonly { readonly path: string }[], count: number): string => {
    const more = count > list.length ? `  and ${formatCount(count - list.length)} more\n` : '';
    return count === 0 ? '' : `${title}:\n${list.map(({ path }) => `  ${printable(path)}\n`).join('')}${more}`;
  };
  const reading = `Reads ${formatCount(snapshots.length)} snapshots and ${formatCount(packs.length)} packs:\n`;
  const objects = [...snapshots, ...packs].map((name) => `  ${printable(name)}\n`).join('');
  const changes = paths('Would overwrite', overwrite, overwriteCount) + paths('Would delete', deleted, result.deleted);
  return `${reading}${objects}${changes}${renderRestore(result)}`;
}

const RENDERERS: { readonly [Method in MethodName]?: (result: never, isFirst: boolean) => string } = {
  init: renderInit,
  keys: renderKeys,
  servers: renderServers,
  adopt: renderAdopt,
  join: renderJoin,
  forget: renderForget,
  run: renderRun,
  list: renderList,
  plan: renderPlan,
  ls: renderLs,
  databases: renderDatabases,
  find: renderFind,
  history: renderHistory,
  diff: renderDiff,
  restore: renderRestore,
  restoreDatabase: renderRestoreDatabase,
  verify: renderVerify,
  repair: renderRepair,
  download: renderDownload,
  prune: renderPrune,
  copy: renderCopy,
  lock: renderLock,
  simulate: renderSimulate,
  hold: renderHold,
  release: renderRelease,
  explain: renderExplain,
  nightly: renderNightly,
  status: renderStatus,
  fleetStatus: renderFleetStatus,
  watch: renderWatch,
  account: renderAccount,
  doctor: renderDoctor,
  start: renderStart,
  job: (result: JobResult) => renderJob(result, renderResult),
  jobs: renderJobs,
  cancel: renderJobView,
  log: renderLog,
};

/** A command's result for people. The same facts, complete, are what `--json` prints. */
export function renderResult(method: MethodName, result: unknown, isFirst = true): string {
  return RENDERERS[method]?.(result as never, isFirst) ?? `${printable(JSON.stringify(result))}\n`;
}
