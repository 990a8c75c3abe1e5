import { Failure } from '../failure.ts';
import { isPackId, isUnitId } from './ids.ts';
import * as layout from './layout.ts';
import { plainManifest, type SnapshotRecord } from './record.ts';

/** Where a record stands, which its contents must agree with. */
export interface RecordPlace {
  readonly repository: string;
  readonly server: string;
  readonly unit: string;
  /** Below the server's folder. */
  readonly path: string;
}

function isPackPath(path: string): boolean {
  const [folder, unit, packs, file, ...more] = path.split('/');
  if (folder !== layout.UNITS_FOLDER || packs !== 'packs' || more.length > 0) return false;
  const pack = file?.split('.')[0] ?? '';
  return isUnitId(unit ?? '') && isPackId(pack) && path === layout.packPath(unit as string, pack, layout.isSealed(path));
}

function problemOf(record: SnapshotRecord, place: RecordPlace): string | undefined {
  if (record.repository !== place.repository) return 'belongs to another repository';
  if (record.server !== place.server) return 'belongs to another server';
  if (record.unit !== place.unit || !record.unit.startsWith(`${record.name}-`)) return 'belongs to another unit';
  if (layout.snapshotPath(place.unit, record.id) !== place.path) return 'has another name than its id';
  if (record.manifest.path !== layout.manifestPath(place.unit, record.id, layout.isSealed(record.manifest.path)))
    return 'names a manifest that is not its own';
  const { index } = record.manifest;
  if (index.offset + index.length > plainManifest(record.manifest).length) return 'names an index beyond the end of its manifest';
  if (!record.packs.every((pack) => isPackPath(pack.path))) return 'names a pack in a place where no packs are';
  if ((record.level === 'full') !== (record.base === null)) return 'has a level and a base that do not fit';
  return undefined;
}

/** Throws `repository_damaged` when a record that matches its schema does not belong where it was found. */
export function checkRecord(record: SnapshotRecord, place: RecordPlace): void {
  const problem = problemOf(record, place);
  if (problem !== undefined) {
    throw new Failure('repository_damaged', `${place.path} ${problem}`, { affected: [place.path] });
  }
}
