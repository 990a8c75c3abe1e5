import type { Context } from '../context/context.ts';
import { Failure } from '../failure.ts';
import { takeLock } from '../locks/locks.ts';
import { requireLivingUnit } from '../panel/units.ts';
import { unitNameOf } from '../repository/ids.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { JoinRequest, JoinResult } from '../schemas/join.ts';

const REASON = 'an administrator said so';

/**
 * Says that an earlier account and the one that lives now under its name are the same customer's: from then on the earlier backups are found,
 * shown and restored with those of the living account, also by its owner. When that has no backups yet, it goes on in the earlier unit.
 * Throws `unit_unknown`, and `usage` when they are one already.
 */
export async function join({ unit: id }: JoinRequest, context: Context): Promise<JoinResult> {
  const { settings, reporter } = context;
  const repository = await openRepository(settings, 'write', (notice) => reporter.log(notice));
  const lock = takeLock(settings.stateDirectory, 'backup', 'a joining');
  try {
    const name = unitNameOf(id);
    const earlier = await repository.units.resolve(id);
    const { incarnation } = requireLivingUnit(settings, name);
    const present = (await repository.units.named(name)).findLast((unit) => repository.units.livesAs(unit, incarnation));
    if (present !== undefined && (present.unit === id || repository.units.joinedTo(present).includes(id))) {
      throw new Failure('usage', `${id} belongs to the ${name} that lives now already`, { affected: [id] });
    }
    if (present === undefined) await repository.units.addNote({ unit: id, kind: 'continued', incarnation, reason: REASON });
    else await repository.units.addNote({ unit: present.unit, kind: 'joined', joined: id, reason: REASON });
    return { status: 'ok', unit: earlier.name, unitId: present?.unit ?? id, joined: id } as JoinResult;
  } finally {
    lock.release();
  }
}
