import type { Reporter } from '../../context/context.ts';
import { Failure } from '../../failure.ts';
import type { PanelUnit } from '../../panel/unit.ts';
import type { UnitIdentity } from '../../repository/identity.ts';
import type { Repository } from '../../repository/repository.ts';
import { doubtAbout } from './account-proof.ts';

/**
 * The unit in which an account goes on: that of its folder; or the last one of its name, when the panel's files show that it is the same
 * account in a new folder, such as on a new disk. In doubt it is another customer's, and begins a new one. Both are told. Throws what the
 * repository answered when it would not say which units there are: a new one, begun for that alone, would leave the others behind for good.
 */
export async function unitOf(subject: PanelUnit, repository: Repository, reporter: Pick<Reporter, 'log'>): Promise<UnitIdentity> {
  const all = await repository.units.named(subject.name);
  const known = all.findLast((unit) => repository.units.livesAs(unit, subject.incarnation));
  if (known !== undefined) return known;
  const refused = await repository.units.refusedOf(subject.name);
  if (refused !== undefined) throw unknownUnit(subject.name, refused);
  const earlier = all.at(-1);
  if (earlier === undefined) return repository.units.begin(subject);
  const doubt = await doubtAbout(subject, earlier, repository);
  if (doubt === undefined) {
    await goOn(subject, earlier, repository, reporter);
    return earlier;
  }
  const unit = await repository.units.begin(subject);
  const message = `${subject.name} is another account than the one of ${earlier.unit}, as far as can be determined (${doubt}): its backups begin anew as ${unit.unit}. If it is the same customer: \`apiscp-backup join ${earlier.unit}\``;
  reporter.log({ level: 'warning', code: 'unit_renewed', message, affected: [subject.name, earlier.unit, unit.unit] });
  return unit;
}

function unknownUnit(name: string, cause: Failure): Failure {
  return new Failure(cause.code, `it cannot be determined which backups ${name} has: ${cause.message}`, {
    affected: [name, ...cause.affected],
    advice: 'Run the backup again. If that does not help, check the disk of the repository.',
    retry: true,
    cause,
  });
}

async function goOn(subject: PanelUnit, { unit }: UnitIdentity, repository: Repository, { log }: Pick<Reporter, 'log'>): Promise<void> {
  const reason = 'its folder is new, and the panel’s files in it are those of the last backup';
  await repository.units.addNote({ unit, kind: 'continued', incarnation: subject.incarnation, reason });
  log({ level: 'info', code: 'unit_continued', message: `${subject.name} goes on as ${unit}: ${reason}`, affected: [subject.name, unit] });
}
