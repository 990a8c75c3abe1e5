import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dropCaches, flush, warmUp } from './caches.ts';
import type { Journal } from './journal.ts';
import { measure } from './measure.ts';
import { ScratchDisk } from './scratch-disk.ts';
import type { Step } from './steps.ts';
import { storedBytes } from './stored.ts';
import type { Details, Tool } from './tools/tool.ts';
import { KEPT_FILE } from './tree/account.ts';

/** A tool that works on the tree of the steps. */
export interface Contender {
  readonly name: string;
  readonly tool: Tool;
}

export interface Course {
  readonly accountsRoot: string;
  readonly contenders: readonly Contender[];
  /** How often each contender does each step. */
  readonly rounds: number;
  /** For what is restored and noted; on the disk of the accounts. */
  readonly workFolder: string;
  /** The account that restores of one account and one file take. */
  readonly account: string;
  /** Lets a day pass and returns the names of what it wrote: of files the paths below the accounts root. */
  readonly nextDay: () => readonly string[] | Promise<readonly string[]>;
}

/** Does the steps one after the other; in each the contenders take turns, as often as there are rounds. */
export async function runSteps(steps: readonly Step[], course: Course, journal: Journal): Promise<void> {
  for (const step of steps) {
    journal.say(step.title);
    for (let round = 0; round < (step.once === true ? 1 : course.rounds); round++) {
      if (step.changesTree === true) writeFileSync(changedPaths(course), (await course.nextDay()).join('\n'));
      for (const contender of course.contenders) {
        if (round < (contender.tool.mostRounds ?? course.rounds)) await runOnce(step, round, contender, course, journal);
      }
    }
  }
}

function changedPaths({ workFolder }: Course): string {
  return join(workFolder, 'changed-paths');
}

async function runOnce(step: Step, round: number, { name, tool }: Contender, course: Course, journal: Journal): Promise<void> {
  const operation = tool.operations[step.operation];
  if (operation === undefined) return;
  const { workFolder, account } = course;
  const scratch = new ScratchDisk(workFolder);
  const details: Details = { target: join(scratch.folder, 'restored'), account, changedPaths: changedPaths(course) };
  const isRestore = step.operation.startsWith('restore');
  try {
    if (step.operation === 'full') await tool.reset();
    if (isRestore) await scratch.renew();
    const commands = await operation(details);
    const before = storedBytes(tool.repository);
    await flush(workFolder);
    if (step.cache === 'cold') dropCaches();
    // Each time: some of the others have the kernel forget what they read.
    else if (step.operation === 'full') await warmUp(course.accountsRoot);
    const measured = await measure(commands, workFolder);
    const flushSeconds = await flush(isRestore ? scratch.folder : workFolder);
    if (isRestore) requireKeptFile(tool, details, course);
    journal.add({ step: step.id, tool: name, round, ...measured, flushSeconds, storedBytes: storedBytes(tool.repository) - before });
  } catch (error) {
    journal.addFailure({ step: step.id, tool: name, message: error instanceof Error ? error.message : String(error) });
  } finally {
    await scratch.remove();
  }
}

/** A restore that restores nothing is fast: every one must have brought at least this file. */
function requireKeptFile(tool: Tool, { target, account }: Details, { accountsRoot }: Course): void {
  const restored = join(tool.restoredAccount(target, account), KEPT_FILE);
  if (!readFileSync(restored).equals(readFileSync(join(accountsRoot, account, KEPT_FILE)))) throw new Error(`${restored} is not as it was`);
}
