import type { Failure } from '../failure.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * Throws `identity_missing` or `identity_wrong` when of the given units nothing can be opened, before anything but records is read. What is older than a change
 * of keys may need another key than the rest, and keeps nobody from that.
 */
export async function requireSomeKey(repository: Repository, units: readonly string[]): Promise<void> {
  const { keys } = repository;
  if ((await keys.records()).size === 0) return;
  let obstacle: Failure | undefined;
  for (const unit of units) {
    for (const { manifest } of (await repository.readSnapshots(unit)).records) {
      const failure = await keys.obstacle([manifest]);
      if (failure === undefined) return;
      obstacle ??= failure;
    }
  }
  if (obstacle !== undefined) throw obstacle;
}
