import { newest } from '../../chain/snapshot.ts';
import { asFailure } from '../../failure.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RecordedSnapshot } from '../../timeline/chain-snapshots.ts';

/**
 * The snapshots of a unit, of which the newest has its private members: where its roots lay, and more. Where nobody here can read them they are empty, which is
 * said: what is gone since then cannot be missed. Throws what may be otherwise another day.
 */
export async function withRevealedNewest(
  history: readonly RecordedSnapshot[],
  repository: Repository,
): Promise<readonly RecordedSnapshot[]> {
  const last = newest(history);
  if (last === undefined) return history;
  let { record } = last;
  try {
    record = await repository.revealed(record);
  } catch (error) {
    const failure = asFailure(error);
    if (failure.retry || failure.code === 'internal') throw failure;
    const message = `the state directory does not have what ${record.id} says of the places of ${record.name}, so it cannot be told what of it is missing now: ${failure.message}`;
    repository.notify({ level: 'warning', code: 'state_lost', message, affected: [record.id] });
    record = { ...record, roots: [], warnings: [], exporters: [] };
  }
  return history.map((snapshot) => (snapshot === last ? { ...snapshot, record } : snapshot));
}
