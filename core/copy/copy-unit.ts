import { asFailure, Failure } from '../failure.ts';
import { decideUnit, type RetentionRules } from '../prune/unit-retention.ts';
import { eachOf } from '../repository/each-of.ts';
import { keepSeenSnapshot, readSeenSnapshot } from '../repository/history/seen.ts';
import { recoveryPath, snapshotPath, snapshotsFolder, unitFolder, unitPath } from '../repository/layout.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import { type Copied, isDamage } from './copied.ts';
import type { ObjectCopier } from './object-copier.ts';

/** Objects under way at once: a long way costs little then. */
const AT_ONCE = 4;

/** Copies the snapshots of a unit that are missing in the target; with `rules` only those that they keep. */
export async function copyUnit(unit: string, copier: ObjectCopier, copied: Copied, rules: RetentionRules | undefined): Promise<void> {
  tellGone(unit, copier, copied);
  const isMissing = [...copier.inSource.keys()].some((path) => path.startsWith(`${unitFolder(unit)}/`) && !copier.has(path));
  if (!isMissing) return;
  if (copier.inSource.has(unitPath(unit))) await orProblem(copied, () => copier.document(unitPath(unit)));
  const lacking = new Set<string>();
  for (const record of await wantedSnapshots(unit, copier, copied, rules)) {
    try {
      await copySnapshot(record, copier, copied, lacking);
      keepSeen(unit, record.id, copier);
    } catch (error) {
      if (!isDamage(error)) throw error;
      lacking.add(record.id);
      copied.problem(error);
    }
  }
}

async function wantedSnapshots(
  unit: string,
  { source }: ObjectCopier,
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
async function copySnapshot(record: SnapshotRecord, copier: ObjectCopier, copied: Copied, lacking: ReadonlySet<string>): Promise<void> {
  const { source } = copier;
  const path = snapshotPath(record.unit, record.id);
  const isThere = copier.has(path);
  const needed = record.level === 'full' ? undefined : [record.parent, record.base].find((link) => link !== null && lacking.has(link.id));
  if (needed !== null && needed !== undefined) {
    const message = `${source.nameOf(path)} is not copied: it builds on ${needed.id}, which is damaged`;
    throw new Failure('repository_damaged', message, { affected: [source.nameOf(path)] });
  }
  await eachOf([...record.packs, record.manifest], AT_ONCE, async (object) => {
    await copier.stored(object);
    await copier.unchecked(recoveryPath(object.path));
  });
  await copier.document(path, source.recordDigest(record));
  await copier.unchecked(recoveryPath(path));
  if (!isThere) copied.snapshots++;
}

/** A snapshot that was copied, and is gone without a prune of the copy: somebody else removed it. */
function tellGone(unit: string, copier: ObjectCopier, copied: Copied): void {
  const { target } = copier;
  const seen = readSeenSnapshot(target.stateFolder, unit);
  if (seen === undefined || copier.has(snapshotPath(unit, seen)) || !hasSnapshot(unit, seen, copier)) return;
  const name = target.nameOf(snapshotPath(unit, seen));
  const message = `${name} was in the copy ${target.backend.description} and is gone or was changed: it is copied again`;
  copied.problem(new Failure('history_missing', message, { affected: [name] }));
}

function hasSnapshot(unit: string, id: string, { inSource }: ObjectCopier): boolean {
  return inSource.has(`${snapshotsFolder(unit)}/${id}.json`);
}

/** So that it is missed when somebody takes it away. */
function keepSeen(unit: string, id: string, { target }: ObjectCopier): void {
  try {
    keepSeenSnapshot(target.stateFolder, unit, id);
  } catch (error) {
    const message = `the state cannot be kept: ${asFailure(error).message}`;
    target.notify({ level: 'warning', code: 'state_unusable', message, affected: [target.stateFolder] });
  }
}

/** Does something; damage is a problem of the copy, and does not end it. */
export async function orProblem(copied: Copied, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!isDamage(error)) throw error;
    copied.problem(error);
  }
}
