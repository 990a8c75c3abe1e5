import type { Context } from '../context/context.ts';
import { asFailure, Failure } from '../failure.ts';
import type { PanelUnit } from '../panel/unit.ts';
import { findLivingUnit } from '../panel/units.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { isUnitId } from '../repository/ids.ts';
import type { Repository } from '../repository/repository.ts';
import { isUnproven } from '../repository/units.ts';

/**
 * The unit that a request means. A unit's id is taken as it is; a name means the incarnation that lives now, of another server the newest.
 * One that was itself restored into a new folder has no backups yet: then it is the newest of that name, if nothing says that another
 * customer has the name now. With `earlier` the one before is meant: the newest that is not the living one's. Throws `unit_unknown`.
 */
export async function resolveUnit(name: string, repository: Repository, context: Context, earlier = false): Promise<UnitIdentity> {
  const { settings, reporter } = context;
  if (earlier) return resolveEarlier(name, repository, context);
  if (isUnitId(name) || !repository.isOwn) return repository.units.resolve(name);
  const living = findLivingUnit(settings, name);
  try {
    return await repository.units.resolve(name, living?.incarnation);
  } catch (error) {
    const { code, message: reason } = asFailure(error);
    if (living === undefined || (code !== 'unit_unknown' && code !== 'repository_damaged')) throw error;
    const newest = await repository.units.resolve(name);
    if (isUnproven(newest)) {
      reporter.log({ level: 'warning', code, message: `${reason}; using them`, affected: [name, newest.unit] });
      return newest;
    }
    requireTold(living);
    const domain = await repository.units.domainOf(newest);
    if (living.domain !== null && living.domain !== domain) throw error;
    const message = `${name} was made anew since its last backup; using the one before (${domain ?? 'domain unknown'})`;
    reporter.log({ level: 'warning', code: 'unit_renewed', message, affected: [name] });
    return newest;
  }
}

/** An account whose own file cannot be read today is nobody's until then. */
function requireTold({ name, untold }: PanelUnit): void {
  if (untold === undefined) return;
  throw new Failure('io_error', `whose account ${name} is cannot be told: ${untold}`, { affected: [name], retry: true });
}

async function resolveEarlier(name: string, repository: Repository, context: Context): Promise<UnitIdentity> {
  const all = await repository.units.all(name);
  const present = repository.isOwn ? all.filter((unit) => isCurrent(unit, repository, context)) : all.slice(-1);
  const others = all.filter((unit) => !present.includes(unit));
  const newest = others.at(-1);
  if (newest === undefined) {
    throw new Failure('unit_unknown', `there is no earlier account ${name} in the backups of this server`, { affected: [name] });
  }
  if (others.length > 1) {
    const message = `there are ${others.length} earlier accounts ${name}; using the last one, ${newest.unit}. The others: ${others
      .slice(0, -1)
      .map(({ unit }) => unit)
      .join(', ')}`;
    context.reporter.log({ level: 'warning', code: 'unit_earlier', message, affected: [name] });
  }
  return newest;
}

/** Whether somebody else than the customer of a unit has its name on this server now, as far as the domain tells. */
export async function isOfAnother(unit: UnitIdentity, repository: Repository, context: Pick<Context, 'settings'>): Promise<boolean> {
  if (isCurrent(unit, repository, context)) return false;
  const living = findLivingUnit(context.settings, unit.name);
  if (living !== undefined) requireTold(living);
  const domain = living?.domain ?? null;
  return domain !== null && domain !== (await repository.units.domainOf(unit));
}

/** Whether a unit is the incarnation that lives on this server now. */
export function isCurrent(unit: UnitIdentity, repository: Repository, { settings }: Pick<Context, 'settings'>): boolean {
  if (!repository.isOwn) return false;
  const living = findLivingUnit(settings, unit.name);
  return living !== undefined && repository.units.livesAs(unit, living.incarnation);
}
