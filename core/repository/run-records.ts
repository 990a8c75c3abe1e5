import { asFailure, Failure } from '../failure.ts';
import { runDocument } from './documents.ts';
import { isTimedId, timedIdStart } from './ids.ts';
import { writeSealed } from './keys/sealed-members.ts';
import { RUNS_FOLDER, recordIdOf, runPath } from './layout.ts';
import type { RunRecord } from './run-record.ts';
import type { ServerFolder } from './server-folder.ts';
import { forgetServerState, rememberRun } from './server-state.ts';
import { readDocument } from './stored-document.ts';

/** The records of a server's runs. */
export class RunRecords {
  readonly #folder: ServerFolder;

  constructor(folder: ServerFolder) {
    this.#folder = folder;
  }

  /**
   * What the run has backed up stands in the repository already: a state that cannot be kept, on a full disk, is said and no failure of it.
   */
  async commit(run: RunRecord): Promise<void> {
    try {
      await rememberRun(this.#folder.stateFolder, run.id, () => this.ids());
    } catch (error) {
      forgetServerState(this.#folder.stateFolder);
      const message = `the state cannot be kept; the next run finds it out again: ${asFailure(error).message}`;
      this.#folder.notify({ level: 'warning', code: 'state_unusable', message, affected: [this.#folder.stateFolder] });
    }
    await writeSealed(runDocument, this.#folder.nameOf(runPath(run.id)), run, this.#folder);
  }

  /** The records of this server's runs, oldest first; unusable ones are reported and left out. */
  async all(): Promise<RunRecord[]> {
    const runs: RunRecord[] = [];
    for (const name of await this.#names()) {
      const run = await this.#read(name);
      if (run !== undefined) runs.push(run);
    }
    return runs;
  }

  /** The ids of this server's runs, oldest first, also of those whose record cannot be used. They begin with the time of the run. */
  async ids(): Promise<string[]> {
    return (await this.#names()).map((name) => recordIdOf(name) ?? '').filter(isTimedId);
  }

  /** The record of one run; an unusable one is reported and undefined. */
  read(id: string): Promise<RunRecord | undefined> {
    return this.#read(this.#folder.nameOf(runPath(id)));
  }

  /** The records of the runs that began at or before `time`, the newest first, each read when it is asked for. */
  async *backFrom(time: Date): AsyncGenerator<RunRecord> {
    const start = timedIdStart(time);
    for (const name of (await this.#names()).reverse()) {
      if ((recordIdOf(name) ?? '').slice(0, start.length) > start) continue;
      const run = await this.#read(name);
      if (run !== undefined) yield run;
    }
  }

  async #names(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.#folder.backend.list(`${this.#folder.nameOf(RUNS_FOLDER)}/`)) names.push(name);
    return names.sort();
  }

  async #read(name: string): Promise<RunRecord | undefined> {
    try {
      const { value } = await readDocument(this.#folder.backend, runDocument, name);
      if (value.id === recordIdOf(name) && value.server === this.#folder.server && value.repository === this.#folder.identity.id)
        return value;
      throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
    } catch (error) {
      this.#folder.report(error);
      return undefined;
    }
  }
}
