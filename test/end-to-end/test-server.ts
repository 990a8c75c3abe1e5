import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import type { SettingsFile } from '../../core/config/settings.ts';
import type { ListResult, SnapshotSummary } from '../../core/schemas/list.ts';
import type { WireError } from '../../core/schemas/parts.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RunResult, UnitOutcome } from '../../core/schemas/run.ts';
import type { VerifyResult } from '../../core/schemas/verify.ts';
import { removeTree } from '../accounts/clean-up.ts';
import { type CompareOptions, compareTrees } from '../fidelity/compare-trees.ts';
import { MAIN } from '../program.ts';

export interface Answer<Result> {
  readonly exitCode: number | undefined;
  readonly result: Result;
  /** Of a command that failed as a whole. */
  readonly error: WireError | undefined;
}

/** A server with one account in a temporary folder, worked on by the program as an administrator starts it. */
export class TestServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'end-to-end-'));
  readonly accountsRoot = join(this.folder, 'virtual');
  readonly site = join(this.accountsRoot, 'site1');
  readonly shadow = join(this.site, 'shadow');
  readonly info = join(this.site, 'info');
  readonly repository: string;
  readonly #settingsFile = join(this.folder, 'config.json');
  #restores = 0;

  /** `repository`: a place for it other than a folder of its own. Nothing is made there yet. */
  constructor(repository?: string) {
    this.repository = repository ?? join(this.folder, 'repository');
    for (const made of [this.site, join(this.info, 'current'), join(this.folder, 'root')]) mkdirSync(made, { recursive: true });
    writeFileSync(join(this.info, 'current/siteinfo'), '[siteinfo]\ndomain = example.test\nadmin_user = owner1\n');
    const { accountsRoot } = this;
    const [stateDirectory, systemRoot] = ['state', 'root'].map((name) => join(this.folder, name));
    writeFileSync(
      this.#settingsFile,
      JSON.stringify({ repository: this.repository, stateDirectory, accountsRoot, systemRoot, limits: { workers: 2 } }),
    );
  }

  /** Holds the program back from now on. */
  limit(limits: NonNullable<SettingsFile['limits']>): void {
    this.set({ limits });
  }

  /** Changes settings. */
  set(changes: Partial<SettingsFile>): void {
    const settings = JSON.parse(readFileSync(this.#settingsFile, 'utf8'));
    writeFileSync(this.#settingsFile, JSON.stringify({ ...settings, ...changes }));
  }

  /** Starts the program; `prefix` is a command that starts it in another way. */
  start(args: readonly string[], prefix: readonly string[] = []) {
    return this.startForPeople(['--json', ...args], prefix);
  }

  /** The same with an answer for people. */
  startForPeople(args: readonly string[], prefix: readonly string[] = []) {
    const [command, ...rest] = [...prefix, process.execPath, '--disable-warning=ExperimentalWarning', MAIN];
    // A stop takes as long as it takes: nobody kills it for that on a busy machine.
    const options = { reject: false, forceKillAfterDelay: false } as const;
    return execa(command as string, [...rest, '--config', this.#settingsFile, ...args], options);
  }

  async #ask<Result>(args: readonly string[], prefix?: readonly string[]): Promise<Answer<Result>> {
    return answerOf<Result>(await this.start(args, prefix));
  }

  init(): Promise<Answer<unknown>> {
    return this.#ask(['init']);
  }

  run(units: readonly string[] = ['site1'], prefix?: readonly string[]): Promise<Answer<RunResult>> {
    return this.#ask(['run', ...units], prefix);
  }

  /** Backs up the account, which must succeed completely. */
  async backUp(): Promise<UnitOutcome> {
    const { result, error, exitCode } = await this.run();
    expect(error).to.equal(undefined);
    expect(result.units[0], JSON.stringify(result)).to.include({ error: null, warningCount: 0 });
    expect(exitCode).to.equal(0);
    return result.units[0] as UnitOutcome;
  }

  restore(...args: string[]): Promise<Answer<RestoreResult>> {
    return this.#ask(['restore', 'site1', ...args]);
  }

  /** Restores to a new folder, which must succeed completely, and tells where. */
  async restoreAside(...args: string[]): Promise<string> {
    const target = join(this.folder, `restored-${++this.#restores}`);
    const { result, exitCode } = await this.restore(...args, '--to', target);
    expect(result, JSON.stringify(result.warnings)).to.include({ status: 'ok', failed: 0, warningCount: 0 });
    expect(exitCode).to.equal(0);
    return target;
  }

  verify(): Promise<Answer<VerifyResult>> {
    return this.#ask(['verify']);
  }

  async snapshots(): Promise<readonly SnapshotSummary[]> {
    return (await this.#ask<ListResult>(['list', 'site1'])).result.snapshots;
  }

  /** Backs up, restores aside and compares with the account: that a run works, with everything that it must keep. */
  async expectPerfectRun(options?: CompareOptions): Promise<void> {
    await this.backUp();
    const restored = await this.restoreAside();
    expect(await compareTrees(this.shadow, join(restored, 'shadow'), options)).to.deep.equal([]);
    expect((await this.verify()).result).to.include({ status: 'ok' });
  }

  /** Files in the repository whose name ends so. */
  objects(suffix: string): string[] {
    if (!existsSync(this.repository)) return [];
    return readdirSync(this.repository, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(suffix));
  }

  /** Bytes in all files of the repository at this moment. */
  storedBytes(): number {
    const sizes = this.objects('').map((name) => statSync(join(this.repository, name), { throwIfNoEntry: false })?.size ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  remove(): Promise<void> {
    return removeTree(this.folder);
  }
}

export type StartedProgram = ReturnType<TestServer['start']>;

/** What a started program said in the end. */
export function answerOf<Result>(ended: { stdout: string; stderr: string; exitCode?: number | undefined }): Answer<Result> {
  const { stdout, stderr, exitCode } = ended;
  if (stdout === '') throw new Error(`the program said nothing (exit code ${exitCode}): ${stderr}`);
  const result = JSON.parse(stdout);
  return { exitCode, result, error: result.error };
}

/** Waits until `condition` holds while `program` runs; fails when the program ends before. */
export async function until(condition: () => boolean, program: StartedProgram): Promise<void> {
  let ended = false;
  void program.then(() => {
    ended = true;
  });
  while (!condition()) {
    if (ended) throw new Error('the program ended before the moment that the test waits for');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
