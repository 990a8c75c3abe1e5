import type { Context } from '../../context/context.ts';
import { asFailure } from '../../failure.ts';
import { timeOfId } from '../../repository/ids.ts';
import { FORMAT_VERSION } from '../../repository/record.ts';
import type { Repository } from '../../repository/repository.ts';
import { PROGRAM } from '../../version.ts';
import type { DeadRun } from './units-in-hand.ts';

/**
 * Writes the record that a run could not write itself: the units that it had in hand when it died failed. Where that is not possible, it is
 * told and no more: what was must not keep anybody from tonight's backup.
 */
export async function recordDeadRun({ id, units }: DeadRun, repository: Repository, { now, reporter }: Context): Promise<void> {
  const message = 'the whole program ended while this unit was backed up';
  reporter.log({
    level: 'warning',
    code: 'unit_crashed',
    message: `${message} in the run ${id}: it is backed up last now`,
    affected: [...units],
  });
  const time = timeOfId(id).toISOString();
  const failure = { code: 'unit_crashed', message } as const;
  try {
    await repository.runs.commit({
      formatVersion: FORMAT_VERSION,
      id,
      repository: repository.identity.id,
      server: repository.server,
      time,
      finished: now().toISOString(),
      status: 'failed',
      units: units.map((name) => ({
        ...{ name, unit: null, outcome: 'failed', time, snapshot: null, warningCount: 0, complete: false, failure },
      })),
      tool: PROGRAM,
    });
  } catch (error) {
    const { code, message: cause } = asFailure(error);
    // It had written its record, and died behind that.
    if (code === 'object_exists') return;
    reporter.log({ level: 'warning', code, message: `the run ${id} has no record: ${cause}`, affected: [id] });
  }
}
