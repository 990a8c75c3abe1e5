import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { flush } from '../caches.ts';
import { type Command, measure } from '../measure.ts';
import { storedBytes } from '../stored.ts';
import { OURS, ours } from '../tools/ours.ts';
import type { Operation, Tool } from '../tools/tool.ts';
import type { Bench } from './bench.ts';

const ACCOUNT = 'site1';

/** Ours with one large account, measured without peers. */
export class OwnRun {
  readonly tool: Tool;
  readonly workFolder: string;
  readonly #target: string;
  readonly #bench: Bench;

  constructor(accountsRoot: string, bench: Bench) {
    this.workFolder = join(bench.folder, 'work');
    this.tool = ours.at({ accountsRoot, accounts: [ACCOUNT], folder: join(this.workFolder, 'ours') });
    this.#target = join(this.workFolder, 'restored');
    this.#bench = bench;
  }

  /** The one command of an operation, with further arguments. */
  async command(operation: Operation, ...more: string[]): Promise<Command> {
    const [command] = await this.tool.operations[operation]!({ target: this.#target, account: ACCOUNT, changedPaths: '' });
    return { ...command!, args: [...command!.args, ...more] };
  }

  /** Does an operation without measuring it. */
  async perform(operation: Operation): Promise<void> {
    await measure([await this.command(operation)], this.workFolder);
  }

  /** Measures a command as one round of a step, and removes what it restored. */
  async measure(step: string, round: number, command: Command): Promise<void> {
    const { journal } = this.#bench;
    try {
      const before = storedBytes(this.tool.repository);
      await flush(this.workFolder);
      const measured = await measure([command], this.workFolder);
      const flushSeconds = await flush(this.workFolder);
      journal.add({ step, tool: OURS, round, ...measured, flushSeconds, storedBytes: storedBytes(this.tool.repository) - before });
    } catch (error) {
      journal.addFailure({ step, tool: OURS, message: error instanceof Error ? error.message : String(error) });
    } finally {
      this.removeRestored();
    }
  }

  /** A full of a new repository, and then a run that finds nothing changed. */
  async measureFullAndUnchanged(name: string): Promise<void> {
    for (let round = 0; round < this.#bench.rounds; round++) {
      await this.tool.reset();
      await this.measure(`${name}-full`, round, await this.command('full'));
    }
    for (let round = 0; round < this.#bench.rounds; round++) {
      await this.measure(`${name}-unchanged`, round, await this.command('unchanged'));
    }
  }

  removeRestored(): void {
    rmSync(this.#target, { recursive: true, force: true });
  }

  close(): void {
    rmSync(this.workFolder, { recursive: true, force: true });
  }
}
