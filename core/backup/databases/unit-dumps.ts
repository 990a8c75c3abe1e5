import type { DatabaseFacts, DatabaseServer } from '../../databases/database-server.ts';
import type { Databases, UnitDatabases, UnseenServer } from '../../databases/databases.ts';
import { ENGINES, type Engine } from '../../databases/engine.ts';
import { recordedParts, wordsOf } from '../../databases/left-out.ts';
import { DATABASES, databaseOfPath, folderOf, pathOfDatabase, usersPath } from '../../databases/virtual-paths.ts';
import { asFailure, type Failure } from '../../failure.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import type { RecordedDatabase, SnapshotRecord } from '../../repository/record.ts';
import type { ScanOutput } from '../../scan/collector.ts';
import type { ScanTotals } from '../../scan/scan.ts';
import { dumpEntry, dumpRows, folderEntry } from './dump-entries.ts';
import { type DumpWatch, dumpOne, type StoredDump, type StreamStore, storeText } from './dump-one.ts';

/** In milliseconds: an account that holds a lock on its own table keeps the others waiting for twice this at most. */
const PATIENCE = 10 * 60_000;

/** What the databases of a unit are dumped with. */
export interface DumpOrder {
  readonly unit: string;
  readonly databases: Databases;
  /** The entries below `databases` of the point in time before. */
  readonly before: readonly Entry[];
  /** The databases of the unit's last record. */
  readonly recorded: SnapshotRecord['databases'];
  readonly isExcluded: (path: ByteString) => boolean;
  /** What one dump may take, in milliseconds. */
  readonly timeLimit: number;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Called with the databases that are left out because restores have replaced them. */
  readonly onKept: (engine: Engine, names: readonly string[]) => void;
  /** Asked before each dump, which begins when it resolves. */
  readonly mayGoOn: () => Promise<void>;
}

/** What became of the databases of a unit. */
export interface DumpedDatabases {
  /** Without the distance to the files, which nobody knows yet. */
  readonly records: readonly Omit<RecordedDatabase, 'secondsBeforeFiles'>[];
  /** What the point in time has of them. */
  readonly totals: ScanTotals;
}

/** A dump that is to be made. */
interface Job {
  readonly engine: Engine;
  readonly path: ByteString;
  run(): Promise<void>;
}

/**
 * Dumps the databases of a unit, several at a time, into its packs, and tells `output` what changed, in path order and before
 * anything else of the unit. What fails for one database is that one's problem; what was there before stays then.
 */
export class UnitDumps {
  readonly #order: DumpOrder;
  readonly #store: StreamStore;
  readonly #output: ScanOutput;
  readonly #before: ReadonlyMap<ByteString, Entry>;
  readonly #present: Entry[] = [];
  readonly #kept = new Set<ByteString>();
  readonly #unseen = new Set<Engine>();
  readonly #records: Omit<RecordedDatabase, 'secondsBeforeFiles'>[] = [];

  constructor(order: DumpOrder, store: StreamStore, output: ScanOutput) {
    this.#order = order;
    this.#store = store;
    this.#output = output;
    this.#before = new Map(order.before.map((entry) => [entry.path, entry]));
  }

  /** Throws what fails the unit: its packs, or that it is stopped. */
  async run(): Promise<DumpedDatabases> {
    const { databases, unit, signal } = this.#order;
    const jobs: Job[] = [];
    for (const found of await databases.ofUnit(unit, this.#knownEngines())) {
      if ('failure' in found) {
        this.#missServer(found);
        continue;
      }
      if (found.kept.length > 0) this.#order.onKept(found.engine, found.kept);
      jobs.push(...this.#jobsOf(found));
    }
    await this.#work(jobs.sort((a, b) => (a.path < b.path ? -1 : 1)));
    signal.throwIfAborted();
    this.#addFolders();
    this.#records.sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const row of dumpRows(this.#order.before, { present: this.#present, kept: this.#kept })) this.#output.row(row);
    return { records: this.#records, totals: this.#totals() };
  }

  /** Engines of which the unit's backups have something. */
  #knownEngines(): Set<Engine> {
    const { before, recorded } = this.#order;
    const dumped = before.flatMap(({ path }) => databaseOfPath(path)?.engine ?? []);
    return new Set([...dumped, ...(recorded ?? []).map(({ engine }) => engine)]);
  }

  #missServer({ engine, failure }: UnseenServer): void {
    this.#fail(engine, folderOf(engine), failure);
    for (const path of this.#before.keys()) if (path.startsWith(folderOf(engine))) this.#kept.add(path);
    const known = new Map((this.#order.recorded ?? []).filter((each) => each.engine === engine).map((each) => [each.path, each]));
    for (const path of this.#before.keys()) {
      const database = databaseOfPath(path);
      if (database?.engine !== engine || known.has(textOf(path))) continue;
      known.set(textOf(path), { ...database, path: textOf(path), server: '', characterSet: '', collation: '' } as RecordedDatabase);
    }
    const at = this.#order.now().toISOString();
    for (const each of known.values()) this.#records.push({ ...each, ...failedResult(failure), at, seconds: 0 });
  }

  #jobsOf({ engine, server, databases, users }: UnitDatabases): Job[] {
    const jobs = databases.map((facts): Job => {
      const path = pathOfDatabase(engine, facts.name);
      return { engine, path, run: () => this.#dump(server, facts, path) };
    });
    if (users.length > 0) {
      const path = usersPath(engine);
      jobs.push({ engine, path, run: () => this.#dumpUsers(server, users, path) });
    }
    return jobs.filter(({ path }) => !this.#order.isExcluded(path));
  }

  /** As many at a time as there are workers; what one throws, all throw, when the others have ended. */
  async #work(jobs: readonly Job[]): Promise<void> {
    const waiting = [...jobs];
    const worker = async (): Promise<void> => {
      for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
        await this.#order.mayGoOn();
        this.#order.signal.throwIfAborted();
        await job.run();
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: this.#store.size }, worker));
    for (const each of ended) if (each.status === 'rejected') throw each.reason;
  }

  async #dump(server: DatabaseServer, facts: DatabaseFacts, path: ByteString): Promise<void> {
    const { engine } = server;
    const at = this.#order.now().toISOString();
    const told = { engine, ...facts, path: textOf(path), server: server.version };
    const started = performance.now();
    const seconds = (): number => Math.round(performance.now() - started) / 1000;
    let stored: StoredDump | undefined;
    try {
      stored = await dumpOne(server, facts, { path, isNew: !this.#before.has(path) }, this.#store, this.#watch());
    } catch (error) {
      const failure = this.#asOwn(error);
      this.#keep(engine, path, failure);
      this.#records.push({ ...told, ...failedResult(failure), at, seconds: seconds() });
      return;
    }
    if (stored === undefined) {
      this.#output.problem(path, 'vanished', 'the database was gone when it came to be dumped');
      return;
    }
    for (const part of stored.leftOut)
      this.#output.problem(path, 'database_incomplete', `${wordsOf(part)} cannot be dumped: ${part.reason}; left out`);
    const { size, content, counts, consistency, moment } = stored;
    const leftOut = stored.leftOut.length === 0 ? {} : { leftOut: recordedParts(stored.leftOut) };
    this.#present.push(dumpEntry(path, size, content, moment));
    this.#output.read(size);
    const sha256 = content.digest.toString('hex');
    const made = { size, sha256, ...counts, consistency, ...leftOut, at: moment.toISOString(), seconds: seconds() };
    this.#records.push({ ...told, result: 'ok', ...made, error: null });
  }

  async #dumpUsers(server: DatabaseServer, users: readonly string[], path: ByteString): Promise<void> {
    const moment = this.#order.now();
    try {
      const text = await server.users(users, { ...this.#watch(), timeLimit: PATIENCE });
      const stored = await storeText(text, { path, isNew: !this.#before.has(path) }, server.engine, this.#store);
      this.#present.push(dumpEntry(path, stored.size, stored.content, moment));
    } catch (error) {
      this.#keep(server.engine, path, this.#asOwn(error));
    }
  }

  #watch(): DumpWatch {
    const { timeLimit, signal, now } = this.#order;
    return { timeLimit, signal, patience: PATIENCE, now };
  }

  /** What is the database's alone. Throws what is the unit's. */
  #asOwn(thrown: unknown): Failure {
    const failure = asFailure(thrown);
    if (this.#order.signal.aborted || this.#store.failed.aborted) throw thrown;
    return failure;
  }

  #keep(engine: Engine, path: ByteString, failure: Failure): void {
    this.#kept.add(path);
    this.#fail(engine, path, failure);
  }

  #fail(engine: Engine, path: ByteString, { code, message }: Failure): void {
    this.#unseen.add(engine);
    this.#output.problem(path, code, this.#before.has(path) ? `${message}; the dump before stays` : message);
  }

  /** The folders stand while anything is in them, or should be. */
  #addFolders(): void {
    const moment = this.#order.now();
    const paths = [...this.#present.map(({ path }) => path), ...this.#kept];
    for (const engine of ENGINES) {
      const isUnseen = this.#unseen.has(engine);
      if (isUnseen || paths.some((path) => path.startsWith(`${folderOf(engine)}/`))) this.#addFolder(folderOf(engine), !isUnseen, moment);
    }
    if (this.#present.length + this.#kept.size > 0) this.#addFolder(DATABASES, true, moment);
  }

  #addFolder(path: ByteString, isAllSeen: boolean, moment: Date): void {
    this.#kept.delete(path);
    this.#present.push(folderEntry(path, isAllSeen, moment));
  }

  #totals(): ScanTotals {
    const kept = [...this.#kept].flatMap((path) => this.#before.get(path) ?? []);
    const entries = [...this.#present, ...kept];
    return { entries: entries.length, bytes: entries.reduce((sum, { size }) => sum + size, 0) };
  }
}

function failedResult({ code, message }: Failure) {
  return { result: 'failed', size: null, sha256: null, tables: null, rows: null, consistency: null, error: { code, message } } as const;
}

/** A path as text: it was made of a name that is text. */
function textOf(path: ByteString): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}
