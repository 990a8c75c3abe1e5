import type { Repository } from '../../repository/repository.ts';
import type { Context } from '../context.ts';
import { UnitTimeline } from '../moment.ts';
import { isCurrent } from '../resolve-unit.ts';
import { findUnit, type UnitRequest } from './find-unit.ts';

/** A unit whose backups are looked at; nothing is written anywhere. */
export interface OpenUnit {
  readonly repository: Repository;
  readonly timeline: UnitTimeline;
  /** What each result says of it. */
  readonly head: { readonly unit: string; readonly unitId: string; readonly current: boolean };
}

/** Opens the unit that a request names. Throws `unit_unknown`, `server_unknown`, `snapshot_unknown`. */
export async function openUnit(request: UnitRequest, context: Context): Promise<OpenUnit> {
  const { repository, unit } = await findUnit(request, context);
  const timeline = await UnitTimeline.read(unit, repository);
  return { repository, timeline, head: { unit: unit.name, unitId: unit.unit, current: isCurrent(unit, repository, context) } };
}
