import { openRepository, type Repository } from '../../repository/repository.ts';
import type { Context } from '../context.ts';
import { UnitTimeline } from '../moment.ts';
import { isCurrent, resolveUnit } from '../resolve-unit.ts';

/** A unit whose backups are looked at; nothing is written anywhere. */
export interface OpenUnit {
  readonly repository: Repository;
  readonly timeline: UnitTimeline;
  /** What each result says of it. */
  readonly head: { readonly unit: string; readonly unitId: string; readonly current: boolean };
}

/** Opens the unit that a request names. Throws `unit_unknown`, `snapshot_unknown`. */
export async function openUnit(name: string, context: Context): Promise<OpenUnit> {
  const repository = await openRepository(context.settings, 'read', (notice) => context.reporter.log(notice));
  const unit = await resolveUnit(name, repository, context);
  const timeline = await UnitTimeline.read(unit, repository);
  return { repository, timeline, head: { unit: unit.name, unitId: unit.unit, current: isCurrent(unit, context) } };
}
