import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ours, oursRecovering } from '../tools/ours.ts';
import type { Bench } from './bench.ts';
import { OwnRun } from './own-run.ts';
import { hostingTree } from './server.ts';

/** How many bytes in a row are lost: less than 5 % of the pack. */
const LOST = 4096;

/** The accounts of a server without and with recovery data, and the repair of the largest pack of them. */
export async function runRecovery(bench: Bench): Promise<void> {
  const { accountsRoot } = hostingTree(bench);
  const [without, recovering] = [ours, oursRecovering].map((kind) => new OwnRun(kind, accountsRoot, bench)) as [OwnRun, OwnRun];
  for (let round = 0; round < bench.rounds; round++) {
    for (const run of [without, recovering]) {
      await run.tool.reset();
      await run.measure('recovery-full', round, 'full');
    }
  }
  for (let round = 0; round < bench.rounds; round++) {
    const { pack, sound } = damageLargestPack(recovering.tool.repository);
    await recovering.measure('recovery-repair', round, 'repair');
    if (!readFileSync(pack).equals(sound)) throw new Error(`${pack} is not as it was`);
  }
  recovering.close();
}

function damageLargestPack(repository: string): { readonly pack: string; readonly sound: Buffer } {
  const packs = globSync(join(repository, 'servers/*/units/*/packs/*'));
  const [pack] = packs.sort((a, b) => statSync(b).size - statSync(a).size) as [string];
  const sound = readFileSync(pack);
  const at = Math.floor(sound.length / 2);
  writeFileSync(pack, Buffer.concat([sound.subarray(0, at), Buffer.alloc(LOST), sound.subarray(at + LOST)]));
  return { pack, sound };
}
