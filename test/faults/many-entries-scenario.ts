import { appendFileSync } from 'node:fs';
import type { VerifyResult } from '../../core/schemas/verify.ts';
import { checkRun } from './checks.ts';
import type { Fault } from './layer/fault.ts';
import { expectGood, runOf } from './run-scenario.ts';
import { type Attempt, type Scenario, underFault } from './scenario.ts';
import type { Server } from './server.ts';
import { World } from './world.ts';

/** Backing up changes of an account that has so many entries that threads look at them. Nothing is ever deleted in it. */
export class ManyEntriesScenario implements Scenario {
  readonly #world: World;
  readonly #template: Server;
  readonly #entries: number;

  private constructor(world: World, template: Server) {
    this.#world = world;
    this.#template = template;
    this.#entries = template.records().find(({ name }) => name === 'site2')?.counts.entries ?? 0;
  }

  static async prepare(): Promise<ManyEntriesScenario> {
    const world = new World();
    world.addMany('site2');
    const template = await world.server();
    await template.command('init', {});
    expectGood(await runOf(template, 'full'));
    return new ManyEntriesScenario(world, template);
  }

  async count(): Promise<readonly number[]> {
    const server = await this.#server();
    const { ended, counts } = await underFault(undefined, () => runOf(server, 'incremental'));
    expectGood(ended);
    server.remove();
    return counts;
  }

  /** With one more change each time, so that there is a snapshot to make. */
  #server(): Promise<Server> {
    appendFileSync(this.#world.path('site2', 'shadow/www/page-0'), 'more');
    return this.#world.server(this.#template);
  }

  async attempt(fault: Fault): Promise<Attempt> {
    const server = await this.#server();
    try {
      const past = new Set(server.records().map(({ id }) => id));
      const { ended, hits, wrong } = await underFault(fault, () => runOf(server, 'incremental'));
      wrong.push(...checkRun(server, ended, past, ['site2']), ...this.#checkCounts(server));
      const next = await runOf(server, 'auto');
      if (next.exitCode !== 0) wrong.push(`the next run ended with ${next.exitCode}: ${next.error?.message ?? ''}`);
      wrong.push(...this.#checkCounts(server).map((each) => `after the next run: ${each}`));
      const verified = await server.command<VerifyResult>('verify', {});
      if (verified.exitCode !== 0) wrong.push(`verify ended with ${verified.exitCode}`);
      return { hits, exitCode: ended.exitCode, wrong };
    } finally {
      server.remove();
    }
  }

  #checkCounts(server: Server): string[] {
    return server.records().flatMap(({ name, level, counts, warningCount }) => {
      const wrong: string[] = [];
      if (counts.deleted > 0) wrong.push(`the ${level} of ${name} says that ${counts.deleted} entries are deleted`);
      if (name === 'site2' && warningCount === 0 && counts.entries !== this.#entries) {
        wrong.push(`the ${level} of ${name}, without a warning, has ${counts.entries} of ${this.#entries} entries`);
      }
      return wrong;
    });
  }

  remove(): void {
    this.#world.remove();
  }
}
