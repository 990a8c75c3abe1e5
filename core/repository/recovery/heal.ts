import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { asFailure, Failure } from '../../failure.ts';
import { FileBytes } from '../../linux/file-bytes.ts';
import { unnamedFile } from '../../linux/unnamed-file.ts';
import { writeAll } from '../../linux/write-all.ts';
import type { RandomAccess } from '../../manifest/read/random-access.ts';
import { recoveryPath } from '../layout.ts';
import type { ServerFolder } from '../server-folder.ts';
import { dataOffset, type Geometry, parityOffset } from './geometry.ts';
import { openStored, shardNumber, stripesAtOnce } from './make-recovery.ts';
import {
  decodeHead,
  HEAD_BEGINNING,
  headLength,
  headLengthOf,
  type RecoveryHead,
  recoveryLength,
  SHARD_DIGEST,
  shardDigest,
  TRAILER,
} from './recovery-head.ts';
import { reconstruct } from './reed-solomon.ts';

/** Bytes of a healed object that are written at once. */
const PART = 1024 * 1024;
/** Shards between two chances for other work. */
const SHARDS_AT_ONCE = 256;

/** Recovery data of an object, as it was found. */
export interface Recovery {
  readonly head: RecoveryHead;
  /** Whether the other head, and all lengths, are as they were written. */
  readonly isSound: boolean;
}

/** What recovery data there is for an object; undefined when there is none. Throws `repository_damaged` when neither of its heads can be used. */
export function readRecovery(folder: ServerFolder, path: string): Promise<Recovery | undefined> {
  return readRecoveryAt(folder, recoveryPath(path));
}

/** The same by the place of the recovery data itself. */
export async function readRecoveryAt(folder: ServerFolder, place: string): Promise<Recovery | undefined> {
  const size = await folder.objectSize(place);
  if (size === undefined) return undefined;
  const access = openStored(folder, place, size);
  try {
    const heads = [headAt(access, 0), headAtEnd(access)];
    const head = heads.find((each) => each !== undefined);
    const name = folder.nameOf(place);
    if (head === undefined)
      throw new Failure('repository_damaged', `${name} cannot be used: both its heads are damaged`, { affected: [name] });
    return { head, isSound: heads.every((each) => each !== undefined) && size === recoveryLength(head.geometry) };
  } finally {
    access.close();
  }
}

function headAtEnd(access: RandomAccess): RecoveryHead | undefined {
  const trailer = readable(access, access.size - TRAILER, TRAILER);
  return trailer === undefined ? undefined : headAt(access, access.size - TRAILER - trailer.readUInt32LE());
}

function headAt(access: RandomAccess, offset: number): RecoveryHead | undefined {
  const beginning = readable(access, offset, HEAD_BEGINNING);
  const length = beginning === undefined ? undefined : headLengthOf(beginning);
  const head = length === undefined ? undefined : readable(access, offset, length);
  try {
    return head === undefined ? undefined : decodeHead(head);
  } catch (error) {
    if (asFailure(error).code === 'repository_newer') throw error;
    return undefined;
  }
}

/** Undefined where the object is too short, or its disk refuses to read there. */
function readable(access: RandomAccess, offset: number, length: number): Buffer | undefined {
  try {
    return offset < 0 ? undefined : access.read(offset, length);
  } catch (error) {
    const { code } = asFailure(error);
    if (code !== 'repository_damaged' && code !== 'io_error') throw error;
    return undefined;
  }
}

/** Whether all parity is as it was written. */
export async function isWholeRecovery(folder: ServerFolder, place: string, { geometry, digests }: RecoveryHead): Promise<boolean> {
  const { shard, data, parity, stripes } = geometry;
  const access = openStored(folder, place, recoveryLength(geometry));
  try {
    for (let number = 0; number < parity * stripes; number++) {
      if (number % SHARDS_AT_ONCE === 0) await setImmediate();
      const bytes = readable(access, headLength(geometry) + number * shard, shard);
      const at = SHARD_DIGEST * (data * stripes + number);
      if (bytes === undefined || !shardDigest(bytes).equals(digests.subarray(at, at + SHARD_DIGEST))) return false;
    }
    return true;
  } finally {
    access.close();
  }
}

/** What became of a damaged object. */
export interface Healing {
  /** Shards that are lost, and those of them that nothing brings back; each of `geometry.shard` bytes. */
  readonly lost: number;
  readonly hopeless: number;
}

/**
 * Heals an object by its recovery data: finds the shards that are lost, makes them anew, and, when the whole has the digest that it had, puts it in the place
 * of the damaged one. `isTrial`: changes nothing. Takes memory for a few stripes. Throws `repository_damaged` when the whole does not come out as it was.
 */
export async function heal(folder: ServerFolder, path: string, head: RecoveryHead, isTrial: boolean): Promise<Healing> {
  const { geometry } = head;
  const name = folder.nameOf(path);
  const size = await folder.objectSize(path);
  const [damaged, recovery] = [
    size === undefined ? undefined : openStored(folder, path, size),
    openStored(folder, recoveryPath(path), (await folder.objectSize(recoveryPath(path))) ?? 0),
  ];
  const spool = unnamedFile(folder.stateFolder);
  try {
    const healed = new Map<number, number>();
    const healing = await findLost(damaged, recovery, head, spool, healed);
    if (healing.hopeless > 0) return healing;
    const spooled = new FileBytes(spool, path);
    const shards = shardsOf(damaged, geometry, (shard) => {
      const place = healed.get(shard);
      return place === undefined ? undefined : spooled.read(place * geometry.shard, geometry.shard);
    });
    if (isTrial) await compare(shards, head, name);
    else await replace(folder, name, shards, head);
    return healing;
  } finally {
    closeSync(spool);
    damaged?.close();
    recovery.close();
  }
}

/** Writes each shard that had to be made anew to `spool`, and its number, by its place there, to `healed`. */
async function findLost(
  damaged: RandomAccess | undefined,
  recovery: RandomAccess,
  head: RecoveryHead,
  spool: number,
  healed: Map<number, number>,
): Promise<Healing> {
  const { geometry, digests } = head;
  const { shard, data, parity, stripes } = geometry;
  const parityStart = headLength(geometry);
  const isWhole = (number: number, bytes: Buffer | undefined): bytes is Buffer =>
    bytes !== undefined && shardDigest(bytes).equals(digests.subarray(SHARD_DIGEST * number, SHARD_DIGEST * (number + 1)));
  let lost = 0;
  let hopeless = 0;
  const stripesPerStep = stripesAtOnce(geometry);
  for (let stripe = 0; stripe < stripes; stripe++) {
    if (stripe % stripesPerStep === 0) await setImmediate();
    const there: (Buffer | undefined)[] = [];
    for (let row = 0; row < data; row++) {
      const bytes = damaged === undefined ? undefined : dataShard(damaged, geometry, row, stripe);
      there.push(isWhole(shardNumber(geometry, row, stripe), bytes) ? bytes : undefined);
    }
    const missing = there.flatMap((bytes, row) => (bytes === undefined ? [row] : []));
    if (missing.length === 0) continue;
    lost += missing.length;
    for (let row = 0; row < parity; row++) {
      const bytes = readable(recovery, parityStart + parityOffset(geometry, stripe, row), shard);
      there.push(isWhole(shardNumber(geometry, data + row, stripe), bytes) ? bytes : undefined);
    }
    const shards = Buffer.concat(there.map((bytes) => bytes ?? Buffer.alloc(shard)));
    const isThere = there.map((bytes) => bytes !== undefined);
    if (!reconstruct(shards, data, parity, isThere)) {
      hopeless += missing.length;
      continue;
    }
    for (const row of missing) {
      healed.set(row * stripes + stripe, healed.size);
      writeAll(spool, shards.subarray(row * shard, (row + 1) * shard));
    }
  }
  return { lost, hopeless };
}

/** A shard of an object, filled up with zeros behind the object's end; undefined where it cannot be read. */
function dataShard(damaged: RandomAccess, geometry: Geometry, row: number, stripe: number): Buffer | undefined {
  const offset = dataOffset(geometry, row, stripe);
  const length = Math.max(0, Math.min(geometry.shard, geometry.length - offset));
  const bytes = length === 0 ? Buffer.alloc(0) : readable(damaged, offset, length);
  if (bytes === undefined || bytes.length === geometry.shard) return bytes;
  return Buffer.concat([bytes], geometry.shard);
}

/** The healed object in parts. */
function* shardsOf(
  damaged: RandomAccess | undefined,
  geometry: Geometry,
  healed: (shard: number) => Buffer | undefined,
): Generator<Buffer> {
  const { shard, length } = geometry;
  let parts: Buffer[] = [];
  let held = 0;
  for (let number = 0; number * shard < length; number++) {
    const wanted = Math.min(shard, length - number * shard);
    const bytes = healed(number)?.subarray(0, wanted) ?? damaged?.read(number * shard, wanted);
    if (bytes === undefined) throw new Failure('internal', `nobody has shard ${number}`);
    parts.push(bytes);
    held += bytes.length;
    if (held < PART) continue;
    yield Buffer.concat(parts);
    parts = [];
    held = 0;
  }
  if (held > 0) yield Buffer.concat(parts);
}

async function compare(parts: Iterable<Buffer>, { sha256 }: RecoveryHead, name: string): Promise<void> {
  const digest = createHash('sha256');
  for (const part of parts) {
    digest.update(part);
    await setImmediate();
  }
  if (digest.digest('hex') !== sha256) throw notAsItWas(name);
}

/** Durable before it takes the place of the damaged one: whoever is killed leaves one or the other. */
async function replace(folder: ServerFolder, name: string, parts: Iterable<Buffer>, { sha256 }: RecoveryHead): Promise<void> {
  const writer = await folder.backend.create(name, 'replacing');
  try {
    const digest = createHash('sha256');
    for (const part of parts) {
      digest.update(part);
      await writer.write(part);
    }
    if (digest.digest('hex') !== sha256) throw notAsItWas(name);
    await writer.commit();
  } finally {
    await writer.abort().catch(() => {});
  }
}

function notAsItWas(name: string): Failure {
  return new Failure('repository_damaged', `${name} does not come out of its recovery data as it was`, { affected: [name] });
}
