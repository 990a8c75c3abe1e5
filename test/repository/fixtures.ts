import type { Notice } from '../../core/context/notice.ts';
import type { Backend } from '../../core/repository/backends/backend.ts';
import type { UnitIdentity, UnitSubject } from '../../core/repository/identity.ts';
import { newTimedId } from '../../core/repository/ids.ts';
import { placeOf } from '../../core/repository/opened-place.ts';
import { initRepository } from '../../core/repository/place.ts';
import { FORMAT_VERSION, type SnapshotRecord } from '../../core/repository/record.ts';
import { Repository } from '../../core/repository/repository.ts';

export const SERVER = '00112233445566ff';

/** A repository in `backend`, made when it is not there, with what it reports. */
export async function openTestRepository(backend: Backend, stateFolder: string): Promise<{ repository: Repository; notices: Notice[] }> {
  const { identity: repository } = await initRepository(backend);
  const notices: Notice[] = [];
  const place = placeOf({ backend, repository, stateFolder, notify: (notice: Notice) => notices.push(notice) });
  await place.signatures.trust(SERVER, [place.signatures.makeOwnKey(SERVER).publicKey.toString('base64')]);
  return { repository: new Repository(place, SERVER), notices };
}

export function subject(name: string, incarnation = 'first'): UnitSubject {
  return { name, incarnation, domain: `${name}.example`, adminUser: 'admin' };
}

/** Stores a snapshot with one pack and a manifest of arbitrary bytes, in the order of commit. */
export async function storeSnapshot(repository: Repository, unit: UnitIdentity, time: Date, content = 'content'): Promise<SnapshotRecord> {
  const id = newTimedId(time);
  const pack = await repository.createPack(unit.unit, `${id}-0001`);
  await pack.write(Buffer.from(`pack of ${content}`));
  const packReference = await pack.commit();
  const manifest = await repository.createManifest(unit.unit, id);
  await manifest.write(Buffer.from(`manifest of ${content}`));
  const manifestReference = await manifest.commit();
  const record: SnapshotRecord = {
    formatVersion: FORMAT_VERSION,
    id,
    repository: repository.identity.id,
    server: repository.server,
    unit: unit.unit,
    name: unit.name,
    level: 'full',
    synthetic: false,
    reason: 'there is no full yet',
    time: time.toISOString(),
    finished: time.toISOString(),
    parent: null,
    base: null,
    roots: [{ name: 'shadow', source: `/home/virtual/${unit.name}/shadow` }],
    counts: { entries: 1, changed: 1, deleted: 0 },
    bytes: { total: 7, read: 7, stored: packReference.length + manifestReference.length },
    manifest: { ...manifestReference, index: { offset: 0, length: 4, sha256: '0'.repeat(64) } },
    packs: [packReference],
    warnings: [{ code: 'vanished', message: 'gone', path: 'shadow/a' }],
    warningCount: 1,
    exporters: [],
    tool: { name: 'apiscp-backup', version: '0.0.0' },
  };
  await repository.commitRecord(record);
  return record;
}
