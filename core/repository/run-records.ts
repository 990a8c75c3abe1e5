import { asFailure, Failure } from '../failure.ts';
import { runDocument } from './documents.ts';
import { coversRun, readDeletions } from './history/deletions.ts';
import { keepSeenRuns, readSeenRuns } from './history/seen.ts';
import { isTimedId, timedIdStart } from './ids.ts';
import { writeSealed } from './keys/sealed-members.ts';
import { RUNS_FOLDER, recordIdOf, runPath } from './layout.ts';
import type { LogEntry, LogLink, RunRecord } from './run-record.ts';
import type { ServerFolder } from './server-folder.ts';
import { forgetServerState, rememberRun, withStateLock } from './server-state.ts';
import { hasStateDirectory } from './state-directory.ts';
import { readDocument, type StoredDocument } from './stored-document.ts';

/** The records of a server's runs: a log, of which this machine remembers the newest that it saw. */
export class RunRecords {
  readonly #folder: ServerFolder;
  #missing: Promise<LogLink | undefined> | undefined;

  constructor(folder: ServerFolder) {
    this.#folder = folder;
  }

  /**
   * Adds a record to the log. What the run has backed up stands in the repository already: a state that cannot be kept, on a full disk, is
   * said and no failure of it.
   */
  async commit(run: RunRecord): Promise<void> {
    const { stateFolder } = this.#folder;
    try {
      await rememberRun(stateFolder, run.id, () => this.ids());
    } catch (error) {
      forgetServerState(stateFolder);
      this.#tellStateUnusable(error);
    }
    // Two runs can end side by side.
    await withStateLock(stateFolder, 'log.lock', () => this.#append(run));
  }

  async #append(run: RunRecord): Promise<void> {
    const { stateFolder, server } = this.#folder;
    const log = await this.#nextEntry();
    // A crash behind this leaves a number that is never used, or a record that the next one finds by it.
    this.#keep(() => keepSeenRuns(stateFolder, server, { ...readSeenRuns(stateFolder, server), pending: { id: run.id, ...log } }));
    const sha256 = await writeSealed(runDocument, this.#folder.nameOf(runPath(run.id)), { ...run, log }, this.#folder);
    this.#keep(() => keepSeenRuns(stateFolder, server, { head: { sequence: log.sequence, id: run.id, sha256 } }));
  }

  /** Where the next record stands. One that was seen and is missing was told; the log goes on behind it. */
  async #nextEntry(): Promise<LogEntry> {
    const { head, pending } = readSeenRuns(this.#folder.stateFolder, this.#folder.server);
    const crashed = pending === undefined ? undefined : await this.#linkTo(pending.id);
    const seen = crashed?.sequence === pending?.sequence ? (crashed ?? head) : head;
    const isThere = seen !== undefined && (seen === crashed || (await this.#folder.objectSize(runPath(seen.id))) !== undefined);
    const previous = isThere ? seen : await this.#newest();
    const sequence = 1 + Math.max(head?.sequence ?? 0, pending?.sequence ?? 0, previous?.sequence ?? 0);
    return { sequence, previous: previous ?? null, standing: true };
  }

  /** The record with the greatest number: what a machine that knows nothing goes on behind. */
  async #newest(): Promise<LogLink | undefined> {
    let newest: LogLink | undefined;
    for (const id of await this.ids()) {
      const link = await this.#linkTo(id);
      if (link !== undefined && link.sequence > (newest?.sequence ?? 0)) newest = link;
    }
    return newest;
  }

  async #linkTo(id: string): Promise<LogLink | undefined> {
    const stored = await this.#readStored(this.#folder.nameOf(runPath(id))).catch(() => undefined);
    return stored?.value.log === undefined ? undefined : { sequence: stored.value.log.sequence, id, sha256: stored.sha256 };
  }

  /** Without it less is noticed later, and nothing is wrong. */
  #keep(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#tellStateUnusable(error);
    }
  }

  #tellStateUnusable(error: unknown): void {
    const message = `the state cannot be kept; the next run finds it out again: ${asFailure(error).message}`;
    this.#folder.notify({ level: 'warning', code: 'state_unusable', message, affected: [this.#folder.stateFolder] });
  }

  /** The newest run that this machine saw, when its record is not there any more and its server did not delete it. Told when it is found. */
  async missing(): Promise<LogLink | undefined> {
    if (this.#missing === undefined) await this.#names();
    return this.#missing;
  }

  /** The server that this machine was has no folder any more: its newest run is missed, by whoever it is now. */
  missFrom(lost: LogLink): void {
    this.#missing = Promise.resolve(lost);
  }

  async #missingOf(names: readonly string[]): Promise<LogLink | undefined> {
    const { stateFolder, server } = this.#folder;
    const { head } = readSeenRuns(stateFolder, server);
    if (head === undefined || names.includes(this.#folder.nameOf(runPath(head.id)))) return undefined;
    // Listed before a run beside stored it, and remembered since.
    if ((await this.#folder.objectSize(runPath(head.id))) !== undefined) return undefined;
    if (coversRun(await readDeletions(this.#folder, (error) => this.#folder.report(error)), head.sequence)) return undefined;
    const message = `the record of the run ${head.id} is gone, which was the newest: it was taken away, or an older state of the repository was put back`;
    this.#folder.notify({ level: 'error', code: 'history_missing', message, affected: [this.#folder.nameOf(runPath(head.id))] });
    return head;
  }

  /** Remembers the newest run that was met. What cannot be kept is not noticed later. */
  see(newest: LogLink): void {
    const { stateFolder, server } = this.#folder;
    if (!hasStateDirectory(stateFolder)) return;
    try {
      const { head, ...rest } = readSeenRuns(stateFolder, server);
      if (newest.sequence > (head?.sequence ?? 0)) keepSeenRuns(stateFolder, server, { ...rest, head: newest });
    } catch {
      // Reading must work where nothing can be written.
    }
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

  /** The record of one run and the digest of its bytes; an unusable one is reported, told to `onUnread`, and undefined. */
  async readLinked(
    id: string,
    onUnread: (failure: Failure) => void,
  ): Promise<{ readonly run: RunRecord; readonly sha256: string } | undefined> {
    const stored = await this.#readUsable(this.#folder.nameOf(runPath(id)), onUnread);
    return stored === undefined ? undefined : { run: stored.value, sha256: stored.sha256 };
  }

  /** The record of one run; an unusable one is reported and undefined. */
  read(id: string): Promise<RunRecord | undefined> {
    return this.#read(this.#folder.nameOf(runPath(id)));
  }

  /**
   * The records of the runs that began at or before `time`, the newest first, each read when it is asked for. Unusable ones are reported and
   * left out, and `onUnread` hears of them. Remembers those: a machine that only restores misses them, too, when an older state is put back.
   */
  async *backFrom(time: Date, onUnread: (failure: Failure) => void = () => {}): AsyncGenerator<RunRecord> {
    const start = timedIdStart(time);
    for (const name of (await this.#names()).reverse()) {
      if ((recordIdOf(name) ?? '').slice(0, start.length) > start) continue;
      const stored = await this.#readUsable(name, onUnread);
      if (stored === undefined) continue;
      const { id, log } = stored.value;
      if (log !== undefined) this.see({ sequence: log.sequence, id, sha256: stored.sha256 });
      yield stored.value;
    }
  }

  async #names(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.#folder.backend.list(`${this.#folder.nameOf(RUNS_FOLDER)}/`)) names.push(name);
    this.#missing ??= this.#missingOf(names);
    await this.#missing;
    return names.sort();
  }

  async #read(name: string): Promise<RunRecord | undefined> {
    return (await this.#readUsable(name, () => {}))?.value;
  }

  async #readUsable(name: string, onUnread: (failure: Failure) => void): Promise<StoredDocument<RunRecord> | undefined> {
    try {
      return await this.#readStored(name);
    } catch (error) {
      // A prune may have removed it since it was listed.
      if ((await this.#folder.backend.size(name)) === undefined) return undefined;
      this.#folder.report(error);
      onUnread(asFailure(error));
      return undefined;
    }
  }

  async #readStored(name: string): Promise<StoredDocument<RunRecord>> {
    const stored = await readDocument(this.#folder, runDocument, name);
    const { id, server, repository } = stored.value;
    if (id === recordIdOf(name) && server === this.#folder.server && repository === this.#folder.identity.id) return stored;
    throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
  }
}
