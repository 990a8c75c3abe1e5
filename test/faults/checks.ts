import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SnapshotRecord } from '../../core/repository/record.ts';
import type { RunRecord } from '../../core/repository/run-record.ts';
import type { ListResult } from '../../core/schemas/list.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import type { VerifyResult } from '../../core/schemas/verify.ts';
import type { Difference } from '../fidelity/compare-trees.ts';
import { Explained, type Named } from './explained.ts';
import type { Ended, Server } from './server.ts';
import { markOf, type State, UNITS, type UnitName, type World } from './world.ts';

/** In which state the account was when a snapshot was made. */
export type StateOf = (snapshot: string) => State;

/** What is wrong with what a repository holds after a fault, in sentences; nothing when every promise is kept. */
export async function checkRepository(world: World, server: Server, stateOf: StateOf): Promise<string[]> {
  const wrong = await checkIntegrity(server);
  wrong.push(...(await checkSnapshots(world, server, server.records(), stateOf)));
  for (const unit of UNITS) wrong.push(...checkPacks(server, unit));
  return wrong;
}

/** The same, as far as the repository itself tells; a snapshot that is once there is never changed, and can be restored later. */
export async function checkIntegrity(server: Server): Promise<string[]> {
  const wrong: string[] = [];
  const records = server.records();
  const listed = await server.command<ListResult>('list', {});
  if (listed.exitCode !== 0) wrong.push(`list ended with ${listed.exitCode}: ${listed.error?.message}`);
  const names = listed.result?.snapshots.map(({ id }) => id) ?? [];
  if (names.length !== records.length) wrong.push(`${records.length} records, and list shows ${names.length}`);
  const verified = await server.command<VerifyResult>('verify', {});
  if (verified.exitCode !== 0) {
    wrong.push(`verify ended with ${verified.exitCode}: ${verified.error?.message ?? JSON.stringify(verified.result?.damages[0])}`);
  }
  return wrong;
}

/** Restores every snapshot aside and compares; what a snapshot says that it lacks may be missing or differ. */
async function checkSnapshots(world: World, server: Server, records: readonly SnapshotRecord[], stateOf: StateOf): Promise<string[]> {
  const folder = join(server.folder, 'restored');
  const wrong: string[] = [];
  const restored = new Map<string, { record: SnapshotRecord; named: readonly Named[] }>();
  mkdirSync(folder);
  for (const record of records) {
    const { id, name, warningCount, warnings } = record;
    const { exitCode, result, error } = await server.command<RestoreResult>('restore', { unit: name, at: id, to: join(folder, id) });
    if (result === undefined || (warningCount === 0 && exitCode !== 0)) {
      wrong.push(`${textOf(record, stateOf)} restores with ${exitCode}: ${error?.message ?? JSON.stringify(result?.warnings[0])}`);
    } else restored.set(id, { record, named: [...warnings, ...result.warnings] });
  }
  const differences = await world.differences(folder, (id) => ({
    unit: restored.get(id)?.record.name as UnitName,
    state: stateOf(id),
    earlier: stateOf(id) === 'now' ? 'before' : undefined,
  }));
  for (const [id, { record, named }] of restored) {
    const unit = differences.get(id);
    if (unit === undefined) {
      wrong.push(`${textOf(record, stateOf)} restores nothing`);
      continue;
    }
    const explained = new Explained(named, unit.expected);
    const found = unit.differences.filter((difference) => !explained.has(difference, unit.wasSo(difference)));
    wrong.push(...found.map((each) => `${textOf(record, stateOf)}: ${differenceText(each)}`));
  }
  rmSync(folder, { recursive: true, force: true });
  return wrong;
}

function textOf({ id, level, name, warningCount }: SnapshotRecord, stateOf: StateOf): string {
  return `the ${stateOf(id) === 'now' ? 'new' : 'old'} ${level} of ${name}, with ${warningCount} warnings,`;
}

export function differenceText({ path, property, first, second }: Difference): string {
  return `${path}: ${property} ${first} became ${second}`;
}

function checkPacks(server: Server, unit: UnitName): string[] {
  const wrong: string[] = [];
  for (const bytes of server.packedBytes(unit)) {
    for (const other of UNITS)
      if (other !== unit && bytes.includes(markOf(other))) wrong.push(`a pack of ${unit} holds what is ${other}'s`);
  }
  return wrong;
}

/**
 * What is wrong with the answer of a run: what it calls good must be there, and not be older than the changes of the accounts; and
 * whatever it made, it tells. `past`: the snapshots from before the changes; `changed`: which accounts have any.
 */
export function checkRun(
  server: Server,
  ended: Ended<RunResult>,
  past: ReadonlySet<string>,
  changed: readonly UnitName[] = UNITS,
): string[] {
  const { exitCode, result, error } = ended;
  const records = server.records();
  const servers = checkServers(server);
  if (servers.length > 0) return servers;
  const made = records.filter(({ id }) => !past.has(id));
  if (result === undefined) {
    if (error === undefined) return ['the run gave neither a result nor an error'];
    const wrong = made.length === 0 ? [] : [`the run made ${made.length} snapshots and tells of none: ${error.message}`];
    return exitCode === 0 ? [...wrong, 'the run gave an error and the exit code is 0'] : wrong;
  }
  const wrong: string[] = [];
  const told = new Map(result.units.map((unit) => [unit.unit, unit]));
  for (const unit of UNITS) {
    const outcome = told.get(unit);
    if (outcome === undefined) wrong.push(`the run does not tell of ${unit}`);
    else if (outcome.status !== 'unchanged' || changed.includes(unit))
      wrong.push(...checkUnit(outcome, exitCode, made).map((text) => `${unit} ${text}`));
  }
  if (exitCode === 0 && result.status !== 'ok') wrong.push(`exit 0 and ${result.status}`);
  if (exitCode === 0) wrong.push(...checkRunRecord(server, result));
  return wrong;
}

/** A machine is one server, whatever it could not read or keep. */
export function checkServers(server: Server): string[] {
  const servers = server.servers();
  return servers.length <= 1 ? [] : [`there are ${servers.length} servers: ${servers.join(', ')}`];
}

function checkUnit(
  { unit, status, snapshot, error, warnings }: RunResult['units'][number],
  exitCode: number,
  made: readonly SnapshotRecord[],
): string[] {
  if (status !== 'ok' && status !== 'unchanged' && exitCode === 0) return [`is ${status} and the exit code is 0`];
  if (status === 'failed') return error === null ? ['failed without a reason'] : [];
  const record = made.find(({ id, name }) => id === snapshot && name === unit);
  // Where nothing of the changes was seen, the last snapshot stands, and the warnings say what it may lack.
  if (record === undefined && status === 'partial' && snapshot !== null)
    return warnings.length === 0 ? ['is partial and nobody knows why'] : [];
  if (record === undefined) return [`is ${status} and its snapshot is not there, or older than what has changed`];
  if (status === 'unchanged') return [];
  if (status === 'ok') return record.warningCount > 0 || record.complete === false ? [`is ok with ${record.warningCount} warnings`] : [];
  return warnings.length === 0 ? ['is partial and nobody knows why'] : [];
}

/** What the repository has of a run that went well. */
function checkRunRecord(server: Server, { run, units }: RunResult): string[] {
  const record = server.documents<RunRecord>('runs').find(({ id }) => id === run);
  if (record === undefined) return ['the exit code is 0 and there is no record of the run'];
  const differ = units.filter(({ unit, status }) => record.units.find(({ name }) => name === unit)?.outcome !== status);
  return differ.map(({ unit, status }) => `${unit} is ${status} and the record of the run says something else`);
}
