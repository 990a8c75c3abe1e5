import { keepInState } from '../context/keep-state.ts';
import { asFailure, Failure } from '../failure.ts';
import { decideUnit, type RetentionRules } from '../prune/unit-retention.ts';
import { keepSeenSnapshot, readSeenSnapshot } from '../repository/history/seen.ts';
import { snapshotPath, unitPath } from '../repository/layout.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import { basesFirst, neededBy } from './bases-first.ts';
import { type Copied, isDamage, isLocked } from './copied.ts';
import type { Copier } from './copier.ts';
import { orProblem } from './or-problem.ts';

/** A unit, and what the source has of it. */
export interface UnitToCopy {
  readonly unit: string;
  readonly paths: readonly string[];
}

/** Copies the snapshots of a unit that are missing in the target; with `rules` only those that they keep. */
export async function copyUnit(
  { unit, paths }: UnitToCopy,
  copier: Copier,
  copied: Copied,
  rules: RetentionRules | undefined,
): Promise<void> {
  await copier.beginUnit(unit);
  tellGone(unit, copier, copied);
  if (paths.every((path) => copier.has(path))) return;
  if (copier.inSource.has(unitPath(unit))) await orProblem(copied, () => copier.document(unitPath(unit)));
  const lacking = new Map<string, Failure>();
  const locked: Failure[] = [];
  for (const record of basesFirst(await wantedSnapshots(unit, copier, copied, rules))) {
    try {
      await copySnapshot(record, copier, copied, lacking);
      keepSeen(unit, record.id, copier);
    } catch (error) {
      if (!isDamage(error) && !isLocked(error)) throw error;
      lacking.set(record.id, asFailure(error));
      if (isLocked(error)) locked.push(asFailure(error));
      else copied.problem(error);
    }
  }
  if (locked[0] !== undefined) copied.problem(lockedOnes(unit, locked[0], locked.length, copier));
}

/** The server became able to read later than it made them. One line for all of a unit. */
function lockedOnes(unit: string, { code, message, affected }: Failure, count: number, { target }: Copier): Failure {
  const what = `${count} of the snapshots of ${unit} are not in ${target.backend.description}, because this server cannot read them: ${message}`;
  return new Failure(code, what, { affected: [unit, ...affected] });
}

async function wantedSnapshots(
  unit: string,
  { source }: Copier,
  copied: Copied,
  rules: RetentionRules | undefined,
): Promise<readonly SnapshotRecord[]> {
  if (rules !== undefined) {
    try {
      return (await decideUnit(unit, source, rules)).kept;
    } catch (error) {
      // Nobody knows what an unusable record needs: then all is copied that can be.
      if (!isDamage(error)) throw error;
    }
  }
  const { records, unusable } = await source.readSnapshots(unit);
  for (const { failure } of unusable) copied.problem(failure);
  return records;
}

/** All that a snapshot needs, and then its record. */
async function copySnapshot(record: SnapshotRecord, copier: Copier, copied: Copied, lacking: ReadonlyMap<string, Failure>): Promise<void> {
  const { source } = copier;
  const path = snapshotPath(record.unit, record.id);
  const isThere = copier.has(path);
  const needed = neededBy(record).find(({ id }) => lacking.has(id))?.id;
  if (needed !== undefined) {
    const message = `${source.nameOf(path)} is not copied: it builds on ${needed}, which is not either`;
    throw new Failure(lacking.get(needed)?.code ?? 'repository_damaged', message, { affected: [source.nameOf(path)] });
  }
  await copier.snapshot(record);
  if (!isThere) copied.snapshots++;
}

/** A snapshot that was copied, and is gone without a prune of the copy: somebody else removed it. */
function tellGone(unit: string, copier: Copier, copied: Copied): void {
  const { target } = copier;
  const seen = readSeenSnapshot(target.stateFolder, unit);
  if (seen === undefined || copier.has(snapshotPath(unit, seen)) || !copier.inSource.has(snapshotPath(unit, seen))) return;
  const name = target.nameOf(snapshotPath(unit, seen));
  const message = `${name} was in the copy ${target.backend.description} and is gone or was changed: it is copied again`;
  copied.problem(new Failure('history_missing', message, { affected: [name] }));
}

/** So that it is missed when somebody takes it away. */
function keepSeen(unit: string, id: string, { target }: Copier): void {
  const { stateFolder, notify } = target;
  keepInState(stateFolder, notify, () => keepSeenSnapshot(stateFolder, unit, id));
}
