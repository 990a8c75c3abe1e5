import type { LevelRequest } from '../../core/chain/choose-level.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import { checkIntegrity, checkRepository, checkRun, type StateOf } from './checks.ts';
import type { Fault } from './layer/fault.ts';
import { type Attempt, type Scenario, underFault } from './scenario.ts';
import type { Ended, Server } from './server.ts';
import { UNITS, World } from './world.ts';

export interface RunKind {
  /** Whether the accounts were backed up before, and have changed since. */
  readonly hasPast: boolean;
  readonly level: LevelRequest;
}

/** Backing up three accounts, one after the other. */
export class RunScenario implements Scenario {
  readonly #world: World;
  readonly #template: Server;
  readonly #level: LevelRequest;
  readonly #past: ReadonlySet<string>;

  private constructor(world: World, template: Server, level: LevelRequest) {
    this.#world = world;
    this.#template = template;
    this.#level = level;
    this.#past = new Set(template.records().map(({ id }) => id));
  }

  static async prepare({ hasPast, level }: RunKind): Promise<RunScenario> {
    const world = new World();
    const template = await world.server();
    await template.command('init', {});
    await world.describe('before');
    if (hasPast) expectGood(await runOf(template, 'full'));
    await world.goOn();
    await world.describe('now');
    return new RunScenario(world, template, level);
  }

  async count(): Promise<readonly number[]> {
    const server = await this.#world.server(this.#template);
    const { ended, counts } = await underFault(undefined, () => runOf(server, this.#level));
    expectGood(ended);
    server.remove();
    return counts;
  }

  async attempt(fault: Fault): Promise<Attempt> {
    const server = await this.#world.server(this.#template);
    try {
      const { ended, hits, wrong } = await underFault(fault, () => runOf(server, this.#level));
      const { exitCode } = ended;
      wrong.push(...checkRun(server, ended, this.#past), ...(await checkIntegrity(server)));
      const next = await runOf(server, 'auto');
      if (next.exitCode !== 0) {
        const unit = next.result?.units.find(({ status }) => status === 'failed' || status === 'partial');
        wrong.push(`the next run ended with ${next.exitCode}: ${next.error?.message ?? JSON.stringify(unit)}`);
      }
      wrong.push(...checkRun(server, next, this.#past).map((each) => `after the next run: ${each}`));
      wrong.push(...(await checkRepository(this.#world, server, this.#stateOf)).map((each) => `after the next run: ${each}`));
      return { hits, exitCode, wrong };
    } finally {
      server.remove();
    }
  }

  readonly #stateOf: StateOf = (snapshot) => (this.#past.has(snapshot) ? 'before' : 'now');

  remove(): void {
    this.#world.remove();
  }
}

/** Backs up the accounts of a server. */
export function runOf(server: Server, level: LevelRequest): Promise<Ended<RunResult>> {
  return server.command<RunResult>('run', { units: UNITS, level });
}

/** Fails when a command without a fault did not end well: then nothing else can be said. */
export function expectGood(ended: Ended<unknown>): void {
  if (ended.exitCode !== 0) throw new Error(`without a fault it ended with ${ended.exitCode}: ${JSON.stringify(ended)}`);
}
