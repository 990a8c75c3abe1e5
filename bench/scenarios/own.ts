import { join } from 'node:path';
import { execa } from 'execa';
import { floor } from '../tools/floor.ts';
import { ours } from '../tools/ours.ts';
import { changeForADay } from '../tree/day.ts';
import { KeptTree } from '../tree/kept-tree.ts';
import { makeTinyTree } from '../tree/tiny-tree.ts';
import type { Bench } from './bench.ts';
import { bytesReadBelow } from './bytes-read.ts';
import { OwnRun } from './own-run.ts';

const SNAPSHOTS = 30;

function tinyTree({ folder, size, text }: Bench, name: string, files: number, filledShare: number): KeptTree {
  const plan = { seed: size.server.seed, files, filledShare };
  return new KeptTree(join(folder, `${name}-${size.name}`), plan, (root) => makeTinyTree(root, plan, text));
}

/** One large account and a chain of 30 snapshots of it. Returns how many bytes restoring one file read of the repository. */
export async function runChain(bench: Bench): Promise<number> {
  const { size, rounds, text, journal } = bench;
  journal.say(`one account of ${size.entries} files and ${SNAPSHOTS} snapshots`);
  const tree = tinyTree(bench, 'chain', size.entries, 0.1);
  const run = new OwnRun(ours, tree.accountsRoot, bench);
  await run.measureFullAndUnchanged('entries');
  for (let snapshot = 2; snapshot <= SNAPSHOTS; snapshot++) {
    tree.nextDay((root, number) => changeForADay(root, { seed: size.server.seed, number, changedShare: 0.001 }, text));
    await run.perform('changed');
  }
  for (let round = 0; round < rounds; round++) await run.measure('chain-file', round, 'restoreFile');
  const read = await run.lookAtRestore((command) => bytesReadBelow(run.tool.repository, command, run.workFolder));
  const throughChain = await newestSnapshot(run);
  await run.perform('full');
  const least = new OwnRun(floor, tree.accountsRoot, bench);
  await least.tool.reset();
  await least.perform('full');
  for (let round = 0; round < rounds; round++) {
    await run.measure('chain-all', round, 'restoreAll', '--at', throughChain);
    await run.measure('chain-full', round, 'restoreAll');
    await least.measure('chain-full', round, 'restoreAll');
  }
  run.close();
  return read;
}

/** An account of four times as many entries, all empty: memory must not grow with their number. */
export async function runFourfold(bench: Bench): Promise<void> {
  const files = bench.size.entries * 4;
  bench.journal.say(`one account of ${files} empty files`);
  const run = new OwnRun(ours, tinyTree(bench, 'fourfold', files, 0).accountsRoot, bench);
  await run.measureFullAndUnchanged('fourfold');
  run.close();
}

async function newestSnapshot(run: OwnRun): Promise<string> {
  const { program, args } = await run.command('list', 'site1', '--json');
  const { stdout } = await execa(program, args);
  const { snapshots } = JSON.parse(stdout) as { snapshots: { id: string }[] };
  return snapshots.at(-1)!.id;
}
