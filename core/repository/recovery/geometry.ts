/** How an object and its recovery data are cut into shards. All lengths in bytes. */
export interface Geometry {
  /** Of the object. */
  readonly length: number;
  /** Of a shard: what is lost or there as a whole. */
  readonly shard: number;
  /** Shards of the object in a stripe. */
  readonly data: number;
  /** Shards of recovery data in a stripe: as many may be lost of it. */
  readonly parity: number;
  readonly stripes: number;
}

/** A sector of a disk, and a page of memory. */
const SHARD = 4096;
/** So many shards an object has at most: what is known of each is kept in memory. Longer objects have longer shards. */
const SHARDS_MAX = 1 << 20;
/** Parity shards of a stripe, where the share does not ask for fewer: more cost more time, fewer heal less that is scattered. */
const USUAL_PARITY = 4;
const DATA_MIN = 4;
/** With its parity a stripe has 256 at most: there are no more numbers. */
const DATA_MAX = 200;

/** The most that one stripe may take, in bytes: it is held in memory. An object of 1 TiB has such stripes. */
const STRIPE_MAX = 256 * 1024 * 1024;

/** Whether a stripe can be held in memory. */
export function isHandy({ shard, data, parity }: Geometry): boolean {
  return shard * (data + parity) <= STRIPE_MAX;
}

/** The same for an object of a length: there is recovery data of such objects alone. */
export function canBeProtected(length: number, percent: number): boolean {
  return isHandy(geometryFor(length, percent));
}

/** For recovery data of `percent` of an object's length, from 1 to 100; small objects get what heals one lost sector at least. */
export function geometryFor(length: number, percent: number): Geometry {
  let shard = Math.max(1, Math.min(SHARD, length));
  while (Math.ceil(length / shard) > SHARDS_MAX) shard *= 2;
  const shards = Math.max(1, Math.ceil(length / shard));
  const wanted = Math.min(DATA_MAX, Math.max(DATA_MIN, Math.floor((USUAL_PARITY * 100) / percent)));
  const stripes = Math.ceil(shards / wanted);
  const data = Math.ceil(shards / stripes);
  const parity = Math.max(shards > 1 ? 2 : 1, Math.ceil((data * percent) / 100));
  return { length, shard, data, parity, stripes };
}

/** The object's shard of a row (its place in the stripe) and a stripe lies there. A lost run of bytes takes one shard of each of many stripes. */
export function dataOffset({ shard, stripes }: Geometry, row: number, stripe: number): number {
  return (row * stripes + stripe) * shard;
}

/** The same in the parity. */
export function parityOffset({ shard, parity }: Geometry, stripe: number, row: number): number {
  return (stripe * parity + row) * shard;
}

export function parityLength({ shard, stripes, parity }: Geometry): number {
  return stripes * parity * shard;
}
