import { hash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { heal, isWholeRecovery, readRecovery } from '../../../core/repository/recovery/heal.ts';
import { makeRecovery } from '../../../core/repository/recovery/make-recovery.ts';
import { HEAD_BEGINNING, headLengthOf } from '../../../core/repository/recovery/recovery-head.ts';
import type { Target } from '../target.ts';
import { SERVER, STATE, WORLD, World } from './world.ts';

const PATH = `units/${WORLD.unit}/packs/${WORLD.id}-0001.tar.zst`;
const RECOVERY = `units/${WORLD.unit}/recovery/${WORLD.id}-0001.tar.zst.rs`;
const SHA256 = 32;

/** Of some bytes to some shards, as they were and as they are found. */
function objectOf(length: number): { readonly whole: Buffer; readonly found: Buffer } {
  const whole = Buffer.alloc(length);
  for (let at = 0; at < length; at++) whole[at] = at * 7 + (at >> 8);
  const found = Buffer.from(whole);
  if (length > 0) found[length >> 1] = 1 + (found[length >> 1] as number);
  return { whole, found };
}

const LENGTH = 9000;

/** With the digests of both heads as a writer who means harm would make them. */
function withDigests(input: Buffer): Buffer {
  const bytes = Buffer.from(input);
  const starts = [0];
  if (bytes.length > 4) starts.push(bytes.length - 4 - bytes.readUInt32LE(bytes.length - 4));
  for (const start of starts) {
    const length = start < 0 ? undefined : headLengthOf(bytes.subarray(start, start + HEAD_BEGINNING));
    if (length === undefined || start + length > bytes.length) continue;
    const end = start + length;
    hash('sha256', bytes.subarray(start, end - SHA256), 'buffer').copy(bytes, end - SHA256);
  }
  return bytes;
}

async function seedOf(length: number, percent: number): Promise<Buffer> {
  mkdirSync(STATE, { recursive: true });
  const { whole } = objectOf(length);
  const { repository } = await World.of({ [`${SERVER}/${PATH}`]: whole });
  await makeRecovery(repository, { path: PATH, length, sha256: hash('sha256', whole) }, percent);
  return repository.readObject(RECOVERY);
}

function number(value: number, length: number): string {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntLE(value, 0, length);
  return bytes.toString('latin1');
}

export const recoveryTargets: readonly Target[] = [
  {
    name: 'recovery',
    refuses: ['repository_damaged', 'repository_newer'],
    words: ['APBKRECV', ...[1, 3, 255, 256, 4096, 2 ** 31, 2 ** 32 - 1].map((each) => number(each, 4)), number(2 ** 40, 6)],
    seeds: () => Promise.all([seedOf(LENGTH, 5), seedOf(LENGTH, 100), seedOf(1, 5)]),
    run: async (input) => {
      mkdirSync(STATE, { recursive: true });
      const { whole, found } = objectOf(LENGTH);
      const world = await World.of({ [`${SERVER}/${PATH}`]: found, [`${SERVER}/${RECOVERY}`]: withDigests(input) });
      const recovery = await readRecovery(world.repository, PATH);
      if (recovery === undefined) return;
      await isWholeRecovery(world.repository, RECOVERY, recovery.head);
      await heal(world.repository, PATH, recovery.head, false);
      // What takes the object's place has the digest that the head names: nothing else may stand there.
      const after = await world.repository.readObject(PATH);
      const isRight = after.equals(found) || after.equals(whole) || hash('sha256', after) === recovery.head.sha256;
      if (!isRight) throw new Error('something else stands there now');
    },
  },
];
