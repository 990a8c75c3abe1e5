import { rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { SmallWorld } from '../crashes/small-world.ts';
import { differences, type Tree, treeOf } from '../crashes/tree.ts';
import type { Fault } from './layer/fault.ts';
import { READING_COMMANDS, type ReadingCommand, settledWorld } from './reading-commands.ts';
import { type Attempt, type Scenario, underFault } from './scenario.ts';
import type { Ended, Server } from './server.ts';

/** Members of results that follow the clock. */
const OF_THE_MOMENT = new Set(['text', 'instant', 'now', 'age']);

/** What an answer says of what it lacks, whichever command gave it. */
const CAUSES = ['warnings', 'unusable', 'damages', 'problems', 'lost', 'healed'] as const;

/**
 * Commands that change nothing of what is stored, one after the other, on a repository that is encrypted or not. Each answer is the right one,
 * or says that it is not, and why.
 */
export class ReadingScenario implements Scenario {
  readonly #world: SmallWorld;
  readonly #commands: readonly ReadingCommand[];
  readonly #server: Server;
  readonly #repository: Tree;
  #answers: readonly unknown[] = [];

  private constructor(world: SmallWorld, commands: readonly ReadingCommand[]) {
    this.#world = world;
    this.#commands = commands;
    this.#server = world.copy();
    this.#repository = treeOf(this.#server.repository);
  }

  /** `name`: of one of the commands; none: all. */
  static async prepare(name: string | undefined, isEncrypted: boolean): Promise<ReadingScenario> {
    const commands = name === undefined ? Object.values(READING_COMMANDS) : [READING_COMMANDS[name] as ReadingCommand];
    return new ReadingScenario(await settledWorld(isEncrypted), commands);
  }

  #perform({ method, request = () => ({}) }: ReadingCommand): Promise<Ended<unknown>> {
    return this.#server.command<unknown>(method, request(this.#world));
  }

  async #performAll(): Promise<Ended<unknown>[]> {
    this.#forget();
    const ended: Ended<unknown>[] = [];
    for (const command of this.#commands) ended.push(await this.#perform(command));
    return ended;
  }

  async count(): Promise<readonly number[]> {
    const { ended, counts } = await underFault(undefined, async () => togetherOf(await this.#performAll()));
    const failed = ended.result?.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw new Error(`without a fault it failed: ${failed.error?.message}`);
    this.#answers = ended.result?.map(({ result }) => timeless(result)) ?? [];
    return counts;
  }

  /** The state as it was in the beginning: what one attempt has remembered must not help the next one. */
  #forget(): void {
    rmSync(this.#server.state, { recursive: true, force: true });
    this.#world.copyState(this.#server);
  }

  async attempt(fault: Fault): Promise<Attempt> {
    const { ended, hits, wrong } = await underFault(fault, async () => togetherOf(await this.#performAll()));
    const all = ended.result ?? [];
    for (const [place, each] of all.entries()) wrong.push(...this.#wrongWith(each, place, fault));
    wrong.push(...differences(this.#repository, treeOf(this.#server.repository)).map((each) => `the repository changed: ${each}`));
    for (const [place, command] of this.#commands.entries()) {
      if (command.remembers === true) continue;
      const { error, result } = await this.#perform(command);
      if (error !== undefined) wrong.push(`${command.method} once more failed: ${error.message}`);
      else if (!isDeepStrictEqual(timeless(result), this.#answers[place]))
        wrong.push(`${command.method} once more: another answer: ${JSON.stringify(result)}`);
    }
    return { hits, exitCode: Math.max(...all.map(({ exitCode }) => exitCode)), wrong };
  }

  #wrongWith({ exitCode, error, result }: Ended<unknown>, place: number, { call }: Fault): string[] {
    const { method } = this.#commands[place] as ReadingCommand;
    // Where nothing names a file system, a file on it may have changed: then it is shown, which is no less true.
    if (method === 'diff' && call === 'libc.fstatfs') return [];
    if (error !== undefined || isDeepStrictEqual(timeless(result), this.#answers[place])) return [];
    // What a repair could not read is healed by a copy, and told.
    if (exitCode === 0 && method !== 'repair') return [`${method}: another answer than without a fault: ${JSON.stringify(result)}`];
    const said = new Set(causesOf(this.#answers[place]).map((each) => JSON.stringify(each)));
    const isExplained = causesOf(timeless(result)).some((each) => !said.has(JSON.stringify(each)));
    return isExplained ? [] : [`${method}: nobody knows why: ${JSON.stringify(result)}`];
  }

  remove(): void {
    this.#world.remove();
  }
}

/** Several commands as one that has an answer. */
function togetherOf(result: Ended<unknown>[]): Ended<readonly Ended<unknown>[]> {
  const defect = result.find(({ error }) => error?.code === 'internal');
  return { exitCode: 0, result, error: defect?.error };
}

function causesOf(result: unknown): unknown[] {
  const members = (result ?? {}) as Record<string, readonly unknown[] | undefined>;
  const units = (members.units ?? []) as readonly { readonly reason?: unknown }[];
  const servers = (members.servers ?? []) as readonly { readonly problems?: readonly unknown[]; readonly error?: unknown }[];
  return [
    ...CAUSES.flatMap((name) => members[name] ?? []),
    ...units.map(({ reason }) => reason ?? null),
    ...servers.flatMap(({ problems = [], error = null }) => [...problems, error]),
  ];
}

/** An answer without what follows the clock. */
function timeless(value: unknown, isTop = true): unknown {
  if (Array.isArray(value)) return value.map((each) => timeless(each, false));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !OF_THE_MOMENT.has(name) && !(isTop && name === 'time'))
      .map(([name, member]) => [name, timeless(member, false)]),
  );
}
