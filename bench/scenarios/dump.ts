import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runSteps } from '../run-steps.ts';
import { DUMP_STEPS } from '../steps.ts';
import { changeDumpTree, DUMP_FILES, makeDumpTree } from '../tree/dump.ts';
import { KeptTree } from '../tree/kept-tree.ts';
import type { Bench } from './bench.ts';
import { contendersAt } from './contenders.ts';

/** A database export and a log, of which little changes in a day, with every tool: what counts is what a day stores. */
export async function runDump({ size, folder, rounds, tools, journal }: Bench): Promise<void> {
  const plan = { seed: size.server.seed, length: size.dumpLength };
  const tree = new KeptTree(join(folder, `dump-${size.name}`), plan, (root) => makeDumpTree(root, plan));
  const { accountsRoot } = tree;
  const account = 'site1';
  const workFolder = join(folder, 'work');
  const contenders = contendersAt(tools, accountsRoot, [account], workFolder);
  const nextDay = () =>
    tree.nextDay((root, number) => {
      changeDumpTree(root, { seed: plan.seed, number });
      return DUMP_FILES.map((path) => `${account}/${path}`);
    });
  await runSteps(DUMP_STEPS, { accountsRoot, contenders, rounds, workFolder, account, nextDay }, journal);
  rmSync(workFolder, { recursive: true, force: true });
}
