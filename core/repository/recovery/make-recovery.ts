import { closeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { FileBytes } from '../../linux/file-bytes.ts';
import { unnamedFile } from '../../linux/unnamed-file.ts';
import { writeAll } from '../../linux/write-all.ts';
import type { RandomAccess } from '../../manifest/read/random-access.ts';
import type { WriteMode } from '../backends/backend.ts';
import { recoveryPath } from '../layout.ts';
import type { ServerFolder } from '../server-folder.ts';
import { dataOffset, type Geometry, geometryFor, isHandy } from './geometry.ts';
import { encodeHead, SHARD_DIGEST, shardCount, shardDigest, TRAILER } from './recovery-head.ts';
import { encode } from './reed-solomon.ts';

/** What the shards of the stripes that are worked on at once may take, in bytes. One stripe is the least. */
const AT_ONCE = 8 * 1024 * 1024;

/** How many stripes are worked on at once: their shards lie behind one another, and are read as one. */
export function stripesAtOnce({ shard, data, parity }: Geometry): number {
  return Math.max(1, Math.floor(AT_ONCE / (shard * (data + parity))));
}

/** An object to be read anywhere; the caller closes it. */
export function openStored(folder: ServerFolder, path: string, length: number): RandomAccess {
  return folder.backend.openDirectly(folder.nameOf(path), length, folder.stateFolder);
}

/**
 * Stores recovery data beside an object that is stored, over its bytes as they are: nobody needs a key to heal. Takes memory for a few stripes
 * and 8 bytes for each shard. `percent` is its share of the object's length. Gives false, and stores nothing, where the object is too long for it.
 */
export async function makeRecovery(
  folder: ServerFolder,
  { path, length, sha256 }: { readonly path: string; readonly length: number; readonly sha256: string },
  percent: number,
  mode: WriteMode = 'new',
): Promise<boolean> {
  const geometry = geometryFor(length, percent);
  if (!isHandy(geometry)) return false;
  const access = openStored(folder, path, length);
  const spool = unnamedFile(folder.stateFolder);
  try {
    const digests = await writeParity(access, geometry, spool);
    const head = encodeHead({ geometry, sha256, digests });
    const writer = await folder.backend.create(folder.nameOf(recoveryPath(path)), mode);
    try {
      await writer.write(head);
      const parity = new FileBytes(spool, path);
      for (let at = 0; at < parity.size; at += AT_ONCE) await writer.write(parity.read(at, Math.min(AT_ONCE, parity.size - at)));
      const trailer = Buffer.alloc(TRAILER);
      trailer.writeUInt32LE(head.length);
      await writer.write(Buffer.concat([head, trailer]));
      await writer.commit();
      return true;
    } finally {
      await writer.abort().catch(() => {});
    }
  } finally {
    closeSync(spool);
    access.close();
  }
}

/** Writes the parity of an object in its order into an open file; returns the digests of all shards. */
async function writeParity(access: RandomAccess, geometry: Geometry, spool: number): Promise<Buffer> {
  const { shard, data, parity, stripes } = geometry;
  const digests = Buffer.alloc(SHARD_DIGEST * shardCount(geometry));
  const group = stripesAtOnce(geometry);
  for (let first = 0; first < stripes; first += group) {
    const count = Math.min(group, stripes - first);
    const width = count * shard;
    const shards = Buffer.alloc(width * (data + parity));
    for (let row = 0; row < data; row++) readInto(shards, row * width, width, access, dataOffset(geometry, row, first));
    encode(shards, data, parity);
    for (let row = 0; row < data + parity; row++) {
      for (let stripe = 0; stripe < count; stripe++) {
        const at = row * width + stripe * shard;
        shardDigest(shards.subarray(at, at + shard)).copy(digests, SHARD_DIGEST * shardNumber(geometry, row, first + stripe));
      }
    }
    for (let stripe = 0; stripe < count; stripe++)
      for (let row = 0; row < parity; row++) {
        const at = (data + row) * width + stripe * shard;
        writeAll(spool, shards.subarray(at, at + shard));
      }
    await setImmediate();
  }
  return digests;
}

/** The number of a shard among all: those of the object in their order, then those of the parity in theirs. */
export function shardNumber({ data, parity, stripes }: Geometry, row: number, stripe: number): number {
  return row < data ? row * stripes + stripe : data * stripes + stripe * parity + (row - data);
}

/** What there is of a stretch of an object; behind its end are zeros. */
function readInto(target: Buffer, at: number, length: number, access: RandomAccess, offset: number): void {
  const count = Math.max(0, Math.min(length, access.size - offset));
  if (count > 0) access.read(offset, count).copy(target, at);
}
