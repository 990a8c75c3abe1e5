import type { PruneResult } from '../../core/schemas/prune.ts';
import { makeOld } from '../crashes/aftermath.ts';
import { checkRepository, type StateOf } from './checks.ts';
import type { Fault } from './layer/fault.ts';
import { expectGood, runOf } from './run-scenario.ts';
import { type Attempt, type Scenario, underFault } from './scenario.ts';
import type { Ended, Server } from './server.ts';
import { UNITS, World } from './world.ts';

/** Deleting all snapshots but the newest: a full and an incremental go, and a synthetic full that copied from their packs stays. */
export class PruneScenario implements Scenario {
  readonly #world: World;
  readonly #template: Server;
  readonly #past: ReadonlySet<string>;

  private constructor(world: World, template: Server, past: ReadonlySet<string>) {
    this.#world = world;
    this.#template = template;
    this.#past = past;
  }

  static async prepare(): Promise<PruneScenario> {
    const world = new World();
    const template = await world.server();
    await template.command('init', {});
    await world.describe('before');
    expectGood(await runOf(template, 'full'));
    const past = new Set(template.records().map(({ id }) => id));
    await world.goOn();
    await world.describe('now');
    expectGood(await runOf(template, 'incremental'));
    expectGood(await runOf(template, 'full'));
    return new PruneScenario(world, template, past);
  }

  async #server(): Promise<Server> {
    const server = await this.#world.server(this.#template);
    server.set({ retention: { keepLast: 0, guardShare: 1 } });
    return server;
  }

  async count(): Promise<readonly number[]> {
    const server = await this.#server();
    const { ended, counts } = await underFault(undefined, () => prune(server));
    expectGood(ended);
    server.remove();
    return counts;
  }

  async attempt(fault: Fault): Promise<Attempt> {
    const server = await this.#server();
    try {
      const newest = server.records().filter(({ level, id }) => level === 'full' && !this.#past.has(id));
      const { ended, hits, wrong } = await underFault(fault, () => prune(server));
      const { exitCode } = ended;
      if (exitCode === 0) wrong.push(...notPruned(server));
      const stateOf: StateOf = (id) => (this.#past.has(id) ? 'before' : 'now');
      wrong.push(...(await checkRepository(this.#world, server, stateOf)));
      const left = new Set(server.records().map(({ id }) => id));
      for (const { id, name } of newest) if (!left.has(id)) wrong.push(`the newest snapshot of ${name} is gone`);
      const next = await prune(server);
      if (next.exitCode !== 0) wrong.push(`the next prune ended with ${next.exitCode}: ${next.error?.message}`);
      else wrong.push(...(await this.#notPrunedLater(server)).map((each) => `after the next prune: ${each}`));
      return { hits, exitCode, wrong };
    } finally {
      server.remove();
    }
  }

  /** Where it could not be noted what goes, the rest goes when it is old. */
  async #notPrunedLater(server: Server): Promise<string[]> {
    if (notPruned(server).length === 0) return [];
    makeOld(server.repository);
    await prune(server);
    return notPruned(server);
  }

  remove(): void {
    this.#world.remove();
  }
}

function prune(server: Server): Promise<Ended<PruneResult>> {
  return server.command<PruneResult>('prune', { yes: true });
}

/** What is still there although nothing needs it. */
function notPruned(server: Server): string[] {
  const records = server.records();
  const wrong = records.length === UNITS.length ? [] : [`${records.length} snapshots of ${UNITS.length} units are left`];
  const needed = new Set(records.flatMap(({ packs, manifest }) => [manifest, ...packs].map(({ path }) => path.split('/').at(-1))));
  const unneeded = [...server.files('packs'), ...server.files('manifests')].filter((file) => !needed.has(file.split('/').at(-1)));
  return [...wrong, ...unneeded.map((file) => `${file} is left and nothing needs it`)];
}
