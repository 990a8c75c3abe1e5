import { asFailure } from '../failure.ts';
import { findLivingUnit } from '../panel/units.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import type { Context } from './context.ts';
import type { ListRequest, ListResult, SnapshotSummary } from './schemas/list.ts';

/** The restore points of one unit, or of all units of this server, oldest first. */
export async function list(request: ListRequest, { settings, reporter }: Context): Promise<ListResult> {
  const repository = await openRepository(settings, 'read', (notice) => reporter.log(notice));
  const livingIncarnation = (name: string) => findLivingUnit(settings, name)?.incarnation;
  const snapshots: SnapshotSummary[] = [];
  for (const unit of await chooseUnits(request, repository, livingIncarnation)) {
    const current = unit.incarnation === livingIncarnation(unit.name);
    for (const record of await repository.snapshots(unit.unit)) snapshots.push(summarize(record, current));
  }
  return { snapshots: snapshots.sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

async function chooseUnits(
  { unit, incarnation }: ListRequest,
  repository: Repository,
  livingIncarnation: (name: string) => string | undefined,
): Promise<UnitIdentity[]> {
  if (incarnation !== undefined) return [await repository.resolveUnit(incarnation)];
  if (unit !== undefined) return unitsNamed(unit, repository, livingIncarnation(unit));
  return repository.units();
}

/** The unit of this name; none when it lives on the server and was not backed up yet. */
async function unitsNamed(name: string, repository: Repository, living: string | undefined): Promise<UnitIdentity[]> {
  try {
    return [await repository.resolveUnit(name, living)];
  } catch (error) {
    if (living !== undefined && asFailure(error).code === 'unit_unknown') return [];
    throw error;
  }
}

function summarize(record: SnapshotRecord, current: boolean): SnapshotSummary {
  return {
    id: record.id,
    unit: record.name,
    unitId: record.unit,
    current,
    level: record.level,
    synthetic: record.synthetic,
    reason: record.reason,
    time: record.time,
    finished: record.finished,
    entries: record.counts.entries,
    changed: record.counts.changed,
    deleted: record.counts.deleted,
    bytesTotal: record.bytes.total,
    bytesStored: record.bytes.stored,
    warningCount: record.warningCount,
  };
}
