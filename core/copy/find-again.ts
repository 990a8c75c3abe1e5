import { snapshotPath, snapshotsFolder, unitFolder } from '../repository/layout.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import { basesFirst, neededBy } from './bases-first.ts';
import type { SealedStore } from './sealed-store.ts';

/**
 * Finds out what a copy has of a unit where something else is there than the state directory knows: by the copy's own records, as far as they are this
 * server's, all that they name is there from before them, and nothing says another digest of it. Everything else is as if it had not been sent.
 */
export async function findAgain(unit: string, store: SealedStore): Promise<void> {
  const { target, listed, sent } = store;
  const { records } = await target.readSnapshots(unit);
  const wrong = wrongObjects(records, store);
  for (const path of wrong) sent.forget(path);
  const stored = new Map<string, number>();
  for await (const { name, modified } of target.listObjects(`${unitFolder(unit)}/`)) stored.set(name, modified);
  const sound = new Set<string>();
  for (const record of basesFirst(records)) {
    const path = snapshotPath(unit, record.id);
    const length = listed.get(path);
    const objects = [record.manifest, ...record.packs];
    const isBased = neededBy(record).every((link) => {
      const base = snapshotPath(unit, link.id);
      return sound.has(base) && sent.get(base)?.sha256 === link.sha256;
    });
    if (length === undefined || !isBased || objects.some((object) => wrong.has(object.path))) continue;
    const sha256 = target.recordDigest(record);
    const isKnown = sent.get(path)?.sha256 === sha256;
    // What was stored behind it took the place of something, just as long, that it names.
    if (!isKnown && objects.some((object) => (stored.get(object.path) ?? 0) > (stored.get(path) ?? 0))) continue;
    sound.add(path);
    for (const object of objects) if (sent.get(object.path) === undefined) sent.add(object);
    if (!isKnown) sent.add({ path, length, sha256 });
  }
  for (const path of [...sent.paths].filter((each) => each.startsWith(`${unitFolder(unit)}/`))) {
    const isRecord = path.startsWith(`${snapshotsFolder(unit)}/`);
    if (!listed.has(path) || (isRecord && !sound.has(path))) sent.forget(path);
  }
}

/** The paths of objects that are not there as a record names them, or of which two say different things. */
function wrongObjects(records: readonly SnapshotRecord[], { listed, sent }: SealedStore): Set<string> {
  const digests = new Map<string, string>();
  const wrong = new Set<string>();
  for (const { path, length, sha256 } of records.flatMap(({ manifest, packs }) => [manifest, ...packs])) {
    const known = digests.get(path) ?? sent.get(path)?.sha256 ?? sha256;
    digests.set(path, known);
    if (known !== sha256 || listed.get(path) !== length) wrong.add(path);
  }
  return wrong;
}
