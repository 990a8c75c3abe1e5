import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import { differenceText } from './checks.ts';
import { Explained } from './explained.ts';
import type { Fault } from './layer/fault.ts';
import { expectGood, runOf } from './run-scenario.ts';
import { type Attempt, type Scenario, underFault } from './scenario.ts';
import type { Ended, Server } from './server.ts';
import { type Restored, type UnitName, World } from './world.ts';

export interface RestoreKind {
  /** In its original place, where something else stands now; else to a new folder. */
  readonly inPlace: boolean;
  readonly unit: UnitName;
  /** More than the main thread writes alone. */
  readonly isLarge: boolean;
}

/** A folder in which a restore makes things. */
const STAGING = /(?:^|\/)\.apiscp-backup-[0-9a-f]{16}(?=$|\/)/;

/** Giving an account back, from a full and an incremental on it. */
export class RestoreScenario implements Scenario {
  readonly #world: World;
  readonly #server: Server;
  readonly #kind: RestoreKind;

  private constructor(world: World, server: Server, kind: RestoreKind) {
    this.#world = world;
    this.#server = server;
    this.#kind = kind;
  }

  static async prepare(kind: RestoreKind): Promise<RestoreScenario> {
    const world = new World();
    if (kind.isLarge) world.addCompressible(kind.unit);
    const server = await world.server();
    await server.command('init', {});
    expectGood(await runOf(server, 'full'));
    await world.goOn();
    await world.describe('now');
    expectGood(await runOf(server, 'incremental'));
    const scenario = new RestoreScenario(world, server, kind);
    if (kind.inPlace) {
      scenario.#clear();
      await world.describe('standing');
    }
    return scenario;
  }

  /** Where the account appears. */
  get #target(): string {
    const { inPlace, unit } = this.#kind;
    return join(inPlace ? this.#world.accounts : this.#aside, unit);
  }

  get #aside(): string {
    return join(this.#server.folder, 'restored');
  }

  async count(): Promise<readonly number[]> {
    this.#clear();
    const { ended, counts } = await underFault(undefined, () => this.#restore());
    expectGood(ended);
    return counts;
  }

  async attempt(fault: Fault): Promise<Attempt> {
    this.#clear();
    const { ended, hits, wrong } = await underFault(fault, () => this.#restore());
    const { exitCode, result } = ended;
    if (exitCode === 0 && result?.status !== 'ok') wrong.push(`exit 0 and ${result?.status}`);
    if (result !== undefined) {
      const { warnings } = result;
      wrong.push(...this.#leftovers().filter((path) => !warnings.some((each) => each.code === 'staging_left' && each.path === path)));
      const { differences, expected, wasSo } = await this.#compare();
      const explained = new Explained(warnings, expected);
      const unexplained = differences.filter((each) => !STAGING.test(each.path) && !explained.has(each, wasSo(each)));
      wrong.push(...unexplained.map(differenceText));
    }
    const again = await this.#restore();
    if (again.exitCode !== 0) wrong.push(`the next restore: ${again.error?.message ?? JSON.stringify(again.result?.warnings[0])}`);
    wrong.push(...(await this.#compare()).differences.map((each) => `after the next restore: ${differenceText(each)}`));
    wrong.push(...this.#leftovers().map((path) => `after the next restore: ${path}`));
    return { hits, exitCode, wrong };
  }

  #restore(): Promise<Ended<RestoreResult>> {
    const { inPlace, unit } = this.#kind;
    return this.#server.command<RestoreResult>('restore', { unit, ...(inPlace ? { delete: true } : { to: this.#target }) });
  }

  async #compare(): Promise<Restored> {
    const { inPlace, unit } = this.#kind;
    // Nothing at all is there: everything is missing.
    mkdirSync(this.#target, { recursive: true });
    const all = await this.#world.differences(inPlace ? this.#world.accounts : this.#aside, (name) => ({
      unit: name as UnitName,
      state: 'now',
      earlier: inPlace ? 'standing' : undefined,
    }));
    return all.get(unit) as Restored;
  }

  /** Folders of the restore's own that it did not remove. */
  #leftovers(): string[] {
    const folder = this.#kind.inPlace ? this.#world.accounts : this.#aside;
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /(?:^|\/)\.apiscp-backup-[0-9a-f]{16}$/.test(name),
    );
    return names.map((name) => join(folder, name));
  }

  /** Nothing at the target, or in the account something that has to be undone. */
  #clear(): void {
    const at = (name: string): string => join(this.#target, name);
    if (!this.#kind.inPlace) {
      rmSync(this.#aside, { recursive: true, force: true });
      mkdirSync(this.#aside);
      return;
    }
    appendFileSync(at('shadow/www/page-0'), 'longer');
    rmSync(at('shadow/www/page-2'), { force: true });
    rmSync(at('shadow/www/link'), { force: true });
    writeFileSync(at('shadow/www/link'), 'a file in the place of a link');
    rmSync(at('shadow/www/deep'), { recursive: true, force: true });
    writeFileSync(at('shadow/www/deep'), 'a file in the place of a folder');
    mkdirSync(at('shadow/www/unknown/below'), { recursive: true });
    writeFileSync(at('shadow/www/unknown/below/file'), 'not in the snapshot');
  }

  remove(): void {
    this.#world.remove();
  }
}
