import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ListResult } from '../../core/commands/schemas/list.ts';
import type { RestoreResult } from '../../core/commands/schemas/restore.ts';
import type { RunResult } from '../../core/commands/schemas/run.ts';
import type { VerifyResult } from '../../core/commands/schemas/verify.ts';
import type { SnapshotRecord } from '../../core/repository/record.ts';
import type { Difference } from '../fidelity/compare-trees.ts';
import type { Ended, Server } from './server.ts';
import { FIRST_NAME, markOf, SECOND_NAME, type State, UNITS, type UnitName, type World } from './world.ts';

/** In which state the account was when a snapshot was made. */
export type StateOf = (snapshot: string) => State;

/** What is wrong with what a repository holds after a fault, in sentences; nothing when every promise is kept. */
export async function checkRepository(world: World, server: Server, stateOf: StateOf): Promise<string[]> {
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
  wrong.push(...(await checkSnapshots(world, server, records, stateOf)));
  for (const unit of UNITS) wrong.push(...checkPacks(server, unit));
  return wrong;
}

/** Restores every snapshot aside and compares; what a snapshot says that it lacks may be missing or differ. */
async function checkSnapshots(world: World, server: Server, records: readonly SnapshotRecord[], stateOf: StateOf): Promise<string[]> {
  const folder = join(server.folder, 'restored');
  const wrong: string[] = [];
  const restored = new Map<string, { record: SnapshotRecord; named: readonly string[] }>();
  mkdirSync(folder);
  for (const record of records) {
    const { id, name, warningCount, warnings } = record;
    const { exitCode, result, error } = await server.command<RestoreResult>('restore', { unit: name, at: id, to: join(folder, id) });
    if (result === undefined || (warningCount === 0 && exitCode !== 0)) {
      wrong.push(`${textOf(record, stateOf)} restores with ${exitCode}: ${error?.message ?? JSON.stringify(result?.warnings[0])}`);
    } else restored.set(id, { record, named: [...warnings, ...result.warnings].map(({ path }) => path ?? '') });
  }
  const differences = await world.differences(folder, (id) => ({
    unit: restored.get(id)?.record.name as UnitName,
    state: stateOf(id),
  }));
  for (const [id, { record, named }] of restored) {
    const found = differences.get(id)?.filter((difference) => !isNamed(difference, named)) ?? [];
    wrong.push(...found.map((each) => `${textOf(record, stateOf)}: ${differenceText(each)}`));
  }
  rmSync(folder, { recursive: true, force: true });
  return wrong;
}

function textOf({ id, level, name, warningCount }: SnapshotRecord, stateOf: StateOf): string {
  return `the ${stateOf(id) === 'now' ? 'new' : 'old'} ${level} of ${name}, with ${warningCount} warnings,`;
}

/**
 * Whether warnings explain a difference: one is about the path, about something above it, or about something in it (a directory's
 * time). Where a name of an inode is missing, its other names have a smaller count; and what is wrong with a file is wrong by each of its names.
 */
export function isNamed({ path, property }: Pick<Difference, 'path' | 'property'>, named: readonly (string | undefined)[]): boolean {
  if (named.length > 0 && (property === 'link count' || property === 'hard links')) return true;
  if (path === SECOND_NAME && named.includes(FIRST_NAME)) return true;
  return named.some((name) => name !== undefined && (path === name || path.startsWith(`${name}/`) || name.startsWith(`${path}/`)));
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

/** What is wrong with the answer of a run under a fault: what it calls good must be there. */
export function checkRun(server: Server, { exitCode, result, error }: Ended<RunResult>): string[] {
  const wrong: string[] = [];
  const records = server.records();
  if (result === undefined) return error === undefined ? ['the run gave neither a result nor an error'] : [];
  for (const { unit, status, snapshot, error: failure } of result.units) {
    const record = records.find(({ id, name }) => id === snapshot && name === unit);
    if (status === 'failed') {
      if (failure === null) wrong.push(`${unit} failed without a reason`);
      else if (exitCode === 0) wrong.push(`${unit} failed and the exit code is 0`);
    } else if (record === undefined) wrong.push(`${unit} is ${status} and its snapshot is not there`);
    else if (status === 'ok' && record.warningCount > 0) wrong.push(`${unit} is ok with ${record.warningCount} warnings`);
    else if (status === 'partial' && exitCode === 0) wrong.push(`${unit} is partial and the exit code is 0`);
  }
  if (exitCode === 0 && result.units.length < UNITS.length) wrong.push('the run ended with 0 and not all units');
  return wrong;
}
