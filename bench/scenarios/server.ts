import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runSteps } from '../run-steps.ts';
import { SERVER_STEPS } from '../steps.ts';
import { changeForADay } from '../tree/day.ts';
import { makeHostingTree } from '../tree/hosting-tree.ts';
import { KeptTree } from '../tree/kept-tree.ts';
import type { Bench } from './bench.ts';
import { contendersAt } from './contenders.ts';

/** The accounts, as the last run left them. */
export function hostingTree({ size, folder, text }: Pick<Bench, 'size' | 'folder' | 'text'>): KeptTree {
  const plan = size.server;
  return new KeptTree(join(folder, `server-${size.name}`), plan, (root) => makeHostingTree(root, plan, text));
}

/** A server of twenty accounts, with every tool. Returns the number of days that the tree had behind it. */
export async function runServer({ size, folder, rounds, tools, text, journal }: Bench): Promise<number> {
  const plan = size.server;
  journal.say(`accounts: ${plan.accounts} with ${plan.filesPerAccount} files each`);
  const tree = hostingTree({ size, folder, text });
  const { accountsRoot, day } = tree;
  const accounts = Array.from({ length: plan.accounts }, (_, index) => `site${index + 1}`);
  const workFolder = join(folder, 'work');
  const contenders = contendersAt(tools, accountsRoot, accounts, workFolder);
  const nextDay = () => tree.nextDay((root, number) => changeForADay(root, { seed: plan.seed, number, changedShare: 0.01 }, text));
  await runSteps(SERVER_STEPS, { accountsRoot, contenders, rounds, workFolder, account: 'site7', nextDay }, journal);
  rmSync(workFolder, { recursive: true, force: true });
  return day;
}
