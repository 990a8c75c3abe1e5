import { aftermath, differencesOfTarget } from '../crashes/aftermath.ts';
import { prepareStory, type Story } from '../crashes/stories.ts';
import { STAGING, type Tree, treeOf } from '../crashes/tree.ts';
import { describedTree, treeDifferences } from '../crashes/tree-differences.ts';
import { differenceText } from './checks.ts';
import { Explained, type Named } from './explained.ts';
import type { Fault } from './layer/fault.ts';
import { expectGood } from './run-scenario.ts';
import { type Attempt, type Scenario, underFault } from './scenario.ts';
import type { Ended, Server } from './server.ts';

/** A writer that was lost, or could not be closed, is locked until this process ends: no other can be, and nobody else removes it. */
function isHeldHere({ call }: Fault, text: string): boolean {
  return /^backend\.(?:create|abort)$/.test(call) && /\.incoming\/\w+ is left$/.test(text);
}

function differenceKey({ path, property }: { readonly path: string; readonly property: string }): string {
  return `${property} ${path}`;
}

/** A command of the small world that is killed elsewhere, under faults. */
export class StoryScenario implements Scenario {
  readonly #story: Story;

  private constructor(story: Story) {
    this.#story = story;
  }

  static async prepare(name: string): Promise<StoryScenario> {
    return new StoryScenario(await prepareStory(name));
  }

  #server(): Server {
    const server = this.#story.world.copy();
    this.#story.target?.reset(server);
    return server;
  }

  #perform(server: Server): Promise<Ended<unknown>> {
    return server.command<unknown>(this.#story.method, this.#story.request(server));
  }

  async count(): Promise<readonly number[]> {
    const server = this.#server();
    const { ended, counts } = await underFault(undefined, () => this.#perform(server));
    expectGood(ended);
    server.remove();
    return counts;
  }

  async attempt(fault: Fault): Promise<Attempt> {
    const server = this.#server();
    try {
      const { ended, hits, wrong } = await underFault(fault, () => this.#perform(server));
      const { exitCode, result, error } = ended;
      if (exitCode === 0) wrong.push(...(await this.#broken(server)));
      else if (result === undefined && error === undefined) wrong.push('it failed and nobody knows why');
      else wrong.push(...this.#unexplained(server, result));
      const after = (await aftermath(this.#story, server)).filter((each) => !isHeldHere(fault, each));
      return { hits, exitCode, wrong: [...wrong, ...after] };
    } finally {
      server.remove();
    }
  }

  /** What a restore that is not whole does not name, and yet is not as it should be. */
  #unexplained(server: Server, result: unknown): string[] {
    const { target, request, world } = this.#story;
    const { warnings } = (result ?? {}) as { readonly warnings?: readonly Named[] };
    if (target === undefined || warnings === undefined) return [];
    const expected = world.states.get(String(request(server).at)) as Tree;
    const explained = new Explained(warnings, describedTree(expected));
    const found = treeOf(target.folder(server));
    const wasSo = new Set(treeDifferences(target.before, found).map(differenceKey));
    return treeDifferences(expected, found)
      .filter((each) => !STAGING.test(each.path) && !explained.has(each, !wasSo.has(differenceKey(each))))
      .map((each) => `not named: ${differenceText(each)}`);
  }

  /** What is not so although it was called good. */
  async #broken(server: Server): Promise<string[]> {
    return [...((await this.#story.broken?.(server)) ?? []), ...differencesOfTarget(this.#story, server)];
  }

  remove(): void {
    this.#story.world.remove();
  }
}
