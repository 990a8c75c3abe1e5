import type { Reporter } from '../../context/context.ts';
import { asFailure } from '../../failure.ts';
import type { PanelUnit } from '../../panel/unit.ts';
import type { UnitIdentity } from '../../repository/identity.ts';
import type { Repository } from '../../repository/repository.ts';

/**
 * Notes that an account has another domain than at its last backup, so that its backups are found by both. Where nobody can tell, because the domain
 * before is encrypted for others, or the note cannot be written, the backup goes on without.
 */
export async function noteRename(
  { domain, incarnation, name }: PanelUnit,
  unit: UnitIdentity,
  repository: Repository,
  { log }: Pick<Reporter, 'log'>,
): Promise<void> {
  if (domain === null) return;
  const before = await repository.units.domainOf(unit).catch(() => domain);
  if (before === domain) return;
  const reason = before === null ? `its domain is ${domain}` : `it was renamed from ${before} to ${domain}`;
  try {
    await repository.units.addNote({ unit: unit.unit, kind: 'continued', incarnation, domain, reason });
    log({ level: 'info', code: 'unit_renamed', message: `${name}: ${reason}`, affected: [name, unit.unit] });
  } catch (error) {
    const { code, message } = asFailure(error);
    log({ level: 'warning', code, message: `${name}: that ${reason} could not be noted: ${message}`, affected: [name] });
  }
}
