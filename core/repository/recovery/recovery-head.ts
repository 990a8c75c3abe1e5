import { hash } from 'node:crypto';
import { Failure } from '../../failure.ts';
import { type Geometry, isHandy, parityLength } from './geometry.ts';

const MAGIC = Buffer.from('APBKRECV', 'latin1');
const VERSION = 1;
const FIXED = 72;
const SHA256 = 32;
/** Of each shard: it has to tell what is lost, and nobody believes what was healed before the whole is compared. */
export const SHARD_DIGEST = 8;
/** Behind the second head stands its length. */
export const TRAILER = 4;
/** As large as a head of the most shards can be. */
const HEAD_MAX = 64 * 1024 * 1024;

/** What recovery data says of itself: of which object it is, how that is cut, and the digest of each shard. */
export interface RecoveryHead {
  readonly geometry: Geometry;
  /** SHA-256 of the object, hexadecimal. */
  readonly sha256: string;
  /** `SHARD_DIGEST` bytes each: of the object's shards in their order, then of the parity's. */
  readonly digests: Buffer;
}

/** The digest of one shard. The last of an object is filled up with zeros. */
export function shardDigest(shard: Uint8Array): Buffer {
  return hash('sha256', shard, 'buffer').subarray(0, SHARD_DIGEST);
}

/** How many shards an object and its parity have, those that would lie behind the end among them. */
export function shardCount({ data, parity, stripes }: Geometry): number {
  return (data + parity) * stripes;
}

export function headLength(geometry: Geometry): number {
  return FIXED + SHARD_DIGEST * shardCount(geometry) + SHA256;
}

/** Of the whole object with the recovery data: head, parity, head again, and its length. */
export function recoveryLength(geometry: Geometry): number {
  return 2 * headLength(geometry) + parityLength(geometry) + TRAILER;
}

export function encodeHead({ geometry, sha256, digests }: RecoveryHead): Buffer {
  const head = Buffer.alloc(headLength(geometry));
  MAGIC.copy(head);
  head.writeUInt32LE(VERSION, 8);
  head.writeUInt32LE(head.length, 12);
  head.writeBigUInt64LE(BigInt(geometry.length), 16);
  head.write(sha256, 24, 'hex');
  for (const [index, number] of [geometry.shard, geometry.data, geometry.parity, geometry.stripes].entries())
    head.writeUInt32LE(number, 56 + 4 * index);
  digests.copy(head, FIXED);
  hash('sha256', head.subarray(0, -SHA256), 'buffer').copy(head, head.length - SHA256);
  return head;
}

/** How long a head is that begins with these bytes; undefined when none does. */
export function headLengthOf(beginning: Buffer): number | undefined {
  if (beginning.length < FIXED || !beginning.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const length = beginning.readUInt32LE(12);
  return length > FIXED + SHA256 && length <= HEAD_MAX ? length : undefined;
}

export const HEAD_BEGINNING = FIXED;

/** Throws `repository_damaged` for what is no head, `repository_newer` for a later one. */
export function decodeHead(head: Buffer): RecoveryHead {
  if (headLengthOf(head) !== head.length) throw damaged('its head is none');
  if (!hash('sha256', head.subarray(0, -SHA256), 'buffer').equals(head.subarray(-SHA256))) throw damaged('its head was altered');
  if (head.readUInt32LE(8) > VERSION) throw new Failure('repository_newer', `recovery data of version ${head.readUInt32LE(8)}`);
  const [shard, data, parity, stripes] = [56, 60, 64, 68].map((at) => head.readUInt32LE(at)) as [number, number, number, number];
  const geometry = { length: Number(head.readBigUInt64LE(16)), shard, data, parity, stripes };
  const isPossible = shard > 0 && data > 0 && parity > 0 && stripes > 0 && data + parity <= 256;
  if (isPossible && !isHandy(geometry)) throw damaged('a stripe of it takes more memory than there may be');
  if (!isPossible || geometry.length > data * stripes * shard || head.length !== headLength(geometry))
    throw damaged('its head contradicts itself');
  return { geometry, sha256: head.toString('hex', 24, 56), digests: head.subarray(FIXED, -SHA256) };
}

function damaged(what: string): Failure {
  return new Failure('repository_damaged', `recovery data: ${what}`);
}
