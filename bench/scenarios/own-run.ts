import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { flush } from '../caches.ts';
import { type Command, measure } from '../measure.ts';
import { ScratchDisk } from '../scratch-disk.ts';
import { storedBytes } from '../stored.ts';
import type { Operation, Tool, ToolKind } from '../tools/tool.ts';
import type { Bench } from './bench.ts';

const ACCOUNT = 'site1';

/** One tool with one large account, without others that take turns. */
export class OwnRun {
  readonly tool: Tool;
  readonly workFolder: string;
  readonly #name: string;
  readonly #scratch: ScratchDisk;
  readonly #bench: Bench;

  constructor(kind: ToolKind, accountsRoot: string, bench: Bench) {
    this.workFolder = join(bench.folder, 'work');
    this.tool = kind.at({ accountsRoot, accounts: [ACCOUNT], folder: join(this.workFolder, `own-${kind.name}`) });
    this.#name = kind.name;
    this.#scratch = new ScratchDisk(this.workFolder);
    this.#bench = bench;
  }

  /** The one command of an operation, with further arguments. */
  async command(operation: Operation, ...more: string[]): Promise<Command> {
    const target = join(this.#scratch.folder, 'restored');
    const [command] = await this.tool.operations[operation]!({ target, account: ACCOUNT, changedPaths: '' });
    return { ...command!, args: [...command!.args, ...more] };
  }

  /** Does an operation without measuring it. */
  async perform(operation: Operation): Promise<void> {
    await measure([await this.command(operation)], this.workFolder);
  }

  /** Measures an operation as one round of a step. */
  async measure(step: string, round: number, operation: Operation, ...more: string[]): Promise<void> {
    const { journal } = this.#bench;
    try {
      const before = storedBytes(this.tool.repository);
      await this.#withScratch(async () => {
        const command = await this.command(operation, ...more);
        await flush(this.workFolder);
        const measured = await measure([command], this.workFolder);
        const flushSeconds = (await flush(this.#scratch.folder)) + (await flush(this.workFolder));
        const stored = storedBytes(this.tool.repository) - before;
        journal.add({ step, tool: this.#name, round, ...measured, flushSeconds, storedBytes: stored });
      });
    } catch (error) {
      journal.addFailure({ step, tool: this.#name, message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Does something with a new and empty place for what is restored. */
  async #withScratch<Result>(action: () => Promise<Result>): Promise<Result> {
    await this.#scratch.renew();
    try {
      return await action();
    } finally {
      await this.#scratch.remove();
    }
  }

  /** Has a restore of one file looked at from outside. */
  async lookAtRestore<Result>(look: (command: Command) => Promise<Result>): Promise<Result> {
    return this.#withScratch(async () => look(await this.command('restoreFile')));
  }

  /** A full of a new repository, and then a run that finds nothing changed. */
  async measureFullAndUnchanged(name: string): Promise<void> {
    for (let round = 0; round < this.#bench.rounds; round++) {
      await this.tool.reset();
      await this.measure(`${name}-full`, round, 'full');
    }
    for (let round = 0; round < this.#bench.rounds; round++) await this.measure(`${name}-unchanged`, round, 'unchanged');
  }

  close(): void {
    rmSync(this.workFolder, { recursive: true, force: true });
  }
}
