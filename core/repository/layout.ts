import { type PackNames, packName } from '../archive/pack-names.ts';
import { lastComponent } from '../manifest/paths.ts';
import { isTimedId } from './ids.ts';

/**
 * Where each object stands (docs/format/repository.md). A server's path is below the repository; the others are below the
 * server's folder, as records and manifests name them.
 */
export const REPOSITORY_FILE = 'repository.json';
export const SERVERS_FOLDER = 'servers';
export const SERVER_FILE = 'server.json';
export const MACHINES_FOLDER = 'machines';
export const NOTES_FOLDER = 'notes';
export const UNITS_FOLDER = 'units';
export const RUNS_FOLDER = 'runs';
export const HOLDS_FOLDER = 'holds';
export const KEYS_FOLDER = 'keys';
export const DELETIONS_FOLDER = 'deletions';
const RECOVERY_FOLDER = 'recovery';

const RECORD_SUFFIX = '.json';
const MANIFEST_SUFFIX = '.mf.zst';
const PACK_SUFFIX = '.tar.zst';
const SEALED_SUFFIX = '.age';
const RECOVERY_SUFFIX = '.rs';

/** Whether the name of an object says that it is an age file. */
export function isSealed(path: string): boolean {
  return path.endsWith(SEALED_SUFFIX);
}

/** The path that a manifest or a pack has where it is encrypted; undefined for what is neither. */
export function sealedPath(path: string): string | undefined {
  const plain = isSealed(path) ? path.slice(0, -SEALED_SUFFIX.length) : path;
  return plain.endsWith(MANIFEST_SUFFIX) || plain.endsWith(PACK_SUFFIX) ? `${plain}${SEALED_SUFFIX}` : undefined;
}

export function serverFolder(server: string): string {
  return `${SERVERS_FOLDER}/${server}`;
}

export function unitFolder(unit: string): string {
  return `${UNITS_FOLDER}/${unit}`;
}

export function unitPath(unit: string): string {
  return `${unitFolder(unit)}/unit.json`;
}

export function snapshotsFolder(unit: string): string {
  return `${unitFolder(unit)}/snapshots`;
}

export function snapshotPath(unit: string, snapshot: string): string {
  return `${snapshotsFolder(unit)}/${snapshot}${RECORD_SUFFIX}`;
}

export function manifestPath(unit: string, snapshot: string, sealed: boolean): string {
  return `${unitFolder(unit)}/manifests/${snapshot}${MANIFEST_SUFFIX}${sealed ? SEALED_SUFFIX : ''}`;
}

export function packPath(unit: string, pack: string, sealed: boolean): string {
  const { before, after } = packPaths(unit, pack, sealed);
  return `${before}${after}`;
}

/** What the paths of packs whose ids begin with `start` have before and after their number. */
function packPaths(unit: string, start: string, sealed: boolean): PackNames {
  return { before: `${unitFolder(unit)}/packs/${start}`, after: `${PACK_SUFFIX}${sealed ? SEALED_SUFFIX : ''}` };
}

/** The folder of a unit's recovery data. */
export function recoveryFolder(unit: string): string {
  return `${unitFolder(unit)}/${RECOVERY_FOLDER}`;
}

/** Where the recovery data of a record, a manifest or a pack lies. */
export function recoveryPath(path: string): string {
  const [units, unit] = path.split('/');
  return `${units}/${unit}/${RECOVERY_FOLDER}/${lastComponent(path)}${RECOVERY_SUFFIX}`;
}

/** The paths of a snapshot's packs. */
export function packNames(unit: string, snapshot: string, sealed: boolean): PackNames {
  return packPaths(unit, `${snapshot}-`, sealed);
}

/** The id of pack number n, counted from 1, of a snapshot. */
export function packId(snapshot: string, number: number): string {
  return packName({ before: `${snapshot}-`, after: '' }, number);
}

/** Says for whom what the server writes is encrypted from then on. */
export function keyPath(id: string): string {
  return `${KEYS_FOLDER}/${id}${RECORD_SUFFIX}`;
}

/** The identity of a recipient, which a passphrase opens. */
export function lockedIdentityPath(recipient: string): string {
  return `${KEYS_FOLDER}/${recipient}${SEALED_SUFFIX}`;
}

export function runPath(run: string): string {
  return `${RUNS_FOLDER}/${run}${RECORD_SUFFIX}`;
}

/** Says which machine writes below the server's folder. */
export function machinePath(id: string): string {
  return `${MACHINES_FOLDER}/${id}${RECORD_SUFFIX}`;
}

/** Says what the server deleted of its history. */
export function deletionPath(id: string): string {
  return `${DELETIONS_FOLDER}/${id}${RECORD_SUFFIX}`;
}

export function notePath(id: string): string {
  return `${NOTES_FOLDER}/${id}${RECORD_SUFFIX}`;
}

/** The place of hold number n, counted from 1, of a snapshot. */
export function holdPath(snapshot: string, number: number): string {
  return `${HOLDS_FOLDER}/${snapshot}-${String(number).padStart(4, '0')}${RECORD_SUFFIX}`;
}

/** The snapshot that a hold's file name says it keeps; undefined when the name is not one of a hold. */
export function heldSnapshotOf(path: string): string | undefined {
  const [snapshot, number] = splitLast(recordIdOf(path) ?? '', '-');
  return isTimedId(snapshot) && path === holdPath(snapshot, Number(number)) ? snapshot : undefined;
}

function splitLast(text: string, separator: string): [string, string] {
  const at = text.lastIndexOf(separator);
  return [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
}

/** The id that a record's file name gives it; undefined when the name is not one of a record. */
export function recordIdOf(path: string): string | undefined {
  const file = lastComponent(path);
  return file.endsWith(RECORD_SUFFIX) ? file.slice(0, -RECORD_SUFFIX.length) : undefined;
}
