import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { flush } from '../caches.ts';
import type { LinePlace } from '../line/line-place.ts';
import { LINE_BYTES_PER_SECOND, ShapedLine, type StoreName } from '../line/shaped-line.ts';
import { measure } from '../measure.ts';
import { ScratchDisk } from '../scratch-disk.ts';
import type { PresentTool } from '../tools/choose.ts';
import { FLOOR } from '../tools/floor.ts';
import { OURS } from '../tools/ours.ts';
import type { Operation, Tool } from '../tools/tool.ts';
import { KEPT_FILE } from '../tree/account.ts';
import { KeptTree } from '../tree/kept-tree.ts';
import { makeSmallFilesTree } from '../tree/small-files-tree.ts';
import type { Bench } from './bench.ts';

const FILES = 20_000;
const ACCOUNT = 'site1';
const STORES: readonly StoreName[] = ['s3', 'sftp'];

/** A full of two accounts, and a restore of that of small files, over a line of 100 Mbit/s and 50 ms each way. The floor is what the line alone needs for the bytes of ours. */
export async function runLine({ size, folder, rounds, text, journal }: Bench, tools: readonly PresentTool<LinePlace>[]): Promise<void> {
  const plan = { seed: size.server.seed, files: FILES, accounts: 2 };
  journal.say(`one account of ${FILES} small files, and one of long ones, over a line of 100 Mbit/s, 50 ms each way`);
  const { accountsRoot } = new KeptTree(join(folder, 'small-files'), plan, (root) => makeSmallFilesTree(root, plan, text));
  const workFolder = join(folder, 'work');
  rmSync(workFolder, { recursive: true, force: true });
  mkdirSync(workFolder, { recursive: true });
  const scratch = new ScratchDisk(workFolder);
  const target = join(scratch.folder, 'restored');
  const line = await ShapedLine.start();
  const once = async (operation: Operation, store: StoreName, name: string, tool: Tool, round: number): Promise<void> => {
    const step = `line-${operation === 'full' ? 'full' : 'restore'}-${store}`;
    try {
      if (operation === 'full') await tool.reset();
      else await scratch.renew();
      await flush(workFolder);
      const commands = (await tool.operations[operation]?.({ target, account: ACCOUNT, changedPaths: '' })) ?? [];
      const before = line.passed;
      const measured = await measure(commands, workFolder);
      const after = line.passed;
      const bytes = operation === 'full' ? after.sent - before.sent : after.received - before.received;
      if (operation !== 'full')
        requireKeptFile(join(tool.restoredAccount(target, ACCOUNT), KEPT_FILE), join(accountsRoot, ACCOUNT, KEPT_FILE));
      const flushSeconds = await flush(operation === 'full' ? workFolder : scratch.folder);
      journal.add({ step, tool: name, round, ...measured, flushSeconds, storedBytes: bytes });
      const least = { wallSeconds: bytes / LINE_BYTES_PER_SECOND, processorSeconds: 0, peakBytes: 0, flushSeconds: 0, storedBytes: bytes };
      if (name === OURS) journal.add({ step, tool: FLOOR, round, ...least });
    } catch (error) {
      journal.addFailure({ step, tool: name, message: error instanceof Error ? error.message : String(error) });
    } finally {
      await scratch.remove();
    }
  };
  try {
    for (const store of STORES) {
      const contenders = tools.map(({ kind }, index) => {
        const own = join(workFolder, `${store}-${index}`);
        mkdirSync(own, { recursive: true });
        return { name: kind.name, tool: kind.at({ accountsRoot, accounts: [ACCOUNT, 'site2'], folder: own, line, store }) };
      });
      for (const operation of ['full', 'restoreAccount'] as const) {
        for (let round = 0; round < rounds; round++)
          for (const { name, tool } of contenders) await once(operation, store, name, tool, round);
      }
    }
  } finally {
    await line.stop();
    rmSync(workFolder, { recursive: true, force: true });
  }
}

function requireKeptFile(restored: string, original: string): void {
  if (!readFileSync(restored).equals(readFileSync(original))) throw new Error(`${restored} is not as it was`);
}
