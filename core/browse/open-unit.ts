import type { Context } from '../context/context.ts';
import type { Repository } from '../repository/repository.ts';
import { OwnerSight } from '../restore/owner/owner-sight.ts';
import { UnitTimeline } from '../timeline/point-in-time.ts';
import { isCurrent } from '../timeline/resolve-unit.ts';
import { findSubject } from './find-subject.ts';
import type { UnitRequest } from './find-unit.ts';

/** A unit whose backups are looked at; nothing is written anywhere. */
export interface OpenUnit {
  readonly repository: Repository;
  readonly timeline: UnitTimeline;
  /** Of an owner's request: what is shown. */
  readonly sight: OwnerSight | undefined;
  /** What each result says of it. */
  readonly head: { readonly unit: string; readonly unitId: string; readonly current: boolean };
}

/** Opens the unit that a request names; an owner hears of that unit alone. Throws `unit_unknown`, `server_unknown`, `snapshot_unknown`. */
export async function openUnit(request: UnitRequest & { readonly policy?: 'owner' | undefined }, context: Context): Promise<OpenUnit> {
  const { repository, unit, users } = await findSubject(request, context);
  const sight = users === undefined ? undefined : new OwnerSight(users);
  const timeline = await UnitTimeline.read(unit, repository);
  return { repository, timeline, sight, head: { unit: unit.name, unitId: unit.unit, current: isCurrent(unit, repository, context) } };
}
