import type { SnapshotLink } from '../chain/snapshot.ts';
import type { SnapshotRecord } from '../repository/record.ts';

/** The links to what a snapshot builds on. */
export function neededBy({ level, parent, base }: Pick<SnapshotRecord, 'level' | 'parent' | 'base'>): SnapshotLink[] {
  if (level === 'full') return [];
  return [base, level === 'incremental' ? parent : null].filter((link) => link !== null);
}

/** Each behind what it builds on, which can have a later id: clocks go back. */
export function basesFirst(records: readonly SnapshotRecord[]): SnapshotRecord[] {
  const byId = new Map(records.map((record) => [record.id, record]));
  const ordered = new Set<SnapshotRecord>();
  for (const record of records) {
    const waiting = [record];
    for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
      const before = neededBy(next)
        .map(({ id }) => byId.get(id))
        .find((each) => each !== undefined && !ordered.has(each) && !waiting.includes(each));
      if (before === undefined) ordered.add(waiting.pop() as SnapshotRecord);
      else waiting.push(before);
    }
  }
  return [...ordered];
}
