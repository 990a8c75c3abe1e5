import { databasesOf } from '../config/databases.ts';
import type { Settings } from '../config/settings.ts';
import { Failure } from '../failure.ts';
import { type AccountLogin, accountLogins } from '../panel/account-logins.ts';
import type { DataFolder } from '../panel/raw-databases.ts';
import type { ChildWatch } from './child.ts';
import type { DatabaseFacts, DatabaseServer, Inventory } from './database-server.ts';
import { ENGINE_NAMES, ENGINES, type Engine } from './engine.ts';
import { type FoundServer, findServer, unreachable } from './find-servers.ts';
import { KeptDatabases } from './kept-databases.ts';
import { isOwnDatabase, isOwnUser } from './own-names.ts';
import { Ownership } from './ownership.ts';

/** The service of the panel for each engine. */
export const SERVICES = { mysql: 'mysql', postgresql: 'pgsql' } as const;

/** So long what a server has is not asked for again, in milliseconds: a run comes to many accounts a minute. */
const FRESH = 60_000;

/** The unit that has what is no account's. */
const SYSTEM = 'system';

/** What a unit has on one server. */
export interface UnitDatabases {
  readonly engine: Engine;
  readonly server: DatabaseServer;
  readonly databases: readonly DatabaseFacts[];
  /** Of an account its own, of the unit `system` all of the server. */
  readonly users: readonly string[];
  /** Of the account, but left out: what restores have replaced, until somebody drops it. */
  readonly kept: readonly string[];
}

/** A server of which nothing can be told. */
export interface UnseenServer {
  readonly engine: Engine;
  readonly failure: Failure;
}

/** The database servers, and whose their databases are, as long as one run takes. */
export class Databases {
  readonly #settings: Pick<Settings, 'databases' | 'systemRoot' | 'accountsRoot' | 'stateDirectory'>;
  readonly #watch: ChildWatch;
  readonly #servers = new Map<Engine, Promise<FoundServer>>();
  readonly #seen = new Map<Engine, { readonly since: number; readonly state: Promise<ServerState> }>();

  constructor(settings: Pick<Settings, 'databases' | 'systemRoot' | 'accountsRoot' | 'stateDirectory'>, signal: AbortSignal) {
    this.#settings = settings;
    this.#watch = { timeLimit: QUESTION_LIMIT, signal };
  }

  /** Nothing is asked any more. */
  async close(): Promise<void> {
    for (const found of await Promise.allSettled(this.#servers.values())) {
      if (found.status === 'fulfilled' && found.value !== undefined && 'server' in found.value) await found.value.server.close();
    }
  }

  /** What a unit has, server by server; `expected` are the engines of which its backups have something. */
  async ofUnit(unit: string, expected: ReadonlySet<Engine>): Promise<(UnitDatabases | UnseenServer)[]> {
    const found: (UnitDatabases | UnseenServer)[] = [];
    for (const engine of ENGINES) {
      const server = await this.#server(engine, expected.has(engine));
      if (server === undefined) continue;
      const part = 'failure' in server ? server : await this.#part(engine, server.server, unit);
      found.push({ engine, ...part });
    }
    return found;
  }

  /** Whether a server has something that a restore makes for itself: one is under way, or has died. */
  async hasLeftovers(engine: Engine): Promise<boolean> {
    const server = await this.#server(engine, false);
    if (server === undefined || 'failure' in server) return false;
    const state = await this.#state(engine, server.server);
    if ('failure' in state) return false;
    const { databases, users } = state.inventory;
    return databases.some(({ name }) => isOwnDatabase(name)) || users.some(isOwnUser);
  }

  /** Where the servers that answer have their live files. */
  async dataFolders(): Promise<DataFolder[]> {
    const folders: DataFolder[] = [];
    for (const engine of ENGINES) {
      const found = await this.#server(engine, false);
      if (found === undefined || 'failure' in found) continue;
      try {
        folders.push(...(await found.server.dataFolders(this.#watch)).map((path) => ({ engine, path })));
      } catch (error) {
        // That it does not answer is told when its databases come to be dumped.
        unreachable(engine, error, this.#watch);
      }
    }
    return folders;
  }

  /** What a server has was changed. */
  lookAgain(engine: Engine): void {
    this.#seen.delete(engine);
  }

  /** Whose a database of this name is, or would be if it were made: a unit. */
  async ownerOf(engine: Engine, name: string): Promise<string> {
    return (await this.ownership(engine)).ofDatabase(name) ?? SYSTEM;
  }

  /** Whether a server has a database of this name. Throws `database_unreachable`. */
  async has(engine: Engine, name: string): Promise<boolean> {
    return (await this.#seenOf(engine)).inventory.databases.some((each) => each.name === name);
  }

  /** Whose databases and users are. Throws `database_unreachable`. */
  async ownership(engine: Engine): Promise<Ownership> {
    return (await this.#seenOf(engine)).ownership;
  }

  async #seenOf(engine: Engine): Promise<SeenServer> {
    const found = await this.#server(engine, true);
    if (found === undefined) throw new Failure('database_unreachable', `there is no server of ${ENGINE_NAMES[engine]}`);
    const state = 'failure' in found ? found : await this.#state(engine, found.server);
    if ('failure' in state) throw state.failure;
    return state;
  }

  /** What the panel says of the account's part of a server: its prefix and its main user. */
  loginOf(engine: Engine, unit: string): AccountLogin | undefined {
    return accountLogins(this.#settings.accountsRoot, SERVICES[engine]).find((login) => login.unit === unit);
  }

  #server(engine: Engine, isExpected: boolean): Promise<FoundServer> {
    const known = this.#servers.get(engine);
    const { systemRoot } = this.#settings;
    const search = (): Promise<FoundServer> =>
      findServer(engine, { settings: databasesOf(this.#settings), systemRoot, isExpected }, this.#watch);
    // One that was not looked for earnestly is looked for again.
    const server = known === undefined ? search() : known.then((found) => (found === undefined && isExpected ? search() : found));
    this.#servers.set(engine, server);
    return server;
  }

  async #part(
    engine: Engine,
    server: DatabaseServer,
    unit: string,
  ): Promise<Omit<UnitDatabases, 'engine'> | { readonly failure: Failure }> {
    const state = await this.#state(engine, server);
    if ('failure' in state) return state;
    const { inventory, ownership, refused } = state;
    const reason = refused.get(unit);
    if (reason !== undefined)
      return { failure: new Failure('database_unreachable', `which databases are the account’s is not known: ${reason}`) };
    const owner = unit === SYSTEM ? undefined : unit;
    const its = inventory.databases.filter(({ name }) => !isOwnDatabase(name) && ownership.ofDatabase(name) === owner);
    const noted = new KeptDatabases(this.#settings.stateDirectory);
    const kept = noted.among(engine, new Set(inventory.databases.map(({ name }) => name)), Date.now());
    return {
      server,
      databases: its.filter(({ name }) => !kept.has(name)),
      kept: its.map(({ name }) => name).filter((name) => kept.has(name)),
      users: inventory.users.filter((name) => !isOwnUser(name) && (owner === undefined || ownership.ofUser(name) === owner)),
    };
  }

  #state(engine: Engine, server: DatabaseServer): Promise<ServerState> {
    const now = performance.now();
    const seen = this.#seen.get(engine);
    if (seen !== undefined && now - seen.since < FRESH) return seen.state;
    const state = this.#look(engine, server);
    this.#seen.set(engine, { since: now, state });
    return state;
  }

  async #look(engine: Engine, server: DatabaseServer): Promise<ServerState> {
    try {
      const inventory = await server.inventory(this.#watch);
      const logins = accountLogins(this.#settings.accountsRoot, SERVICES[engine]);
      const refused = new Map(logins.flatMap(({ unit, refused }) => (refused === undefined ? [] : [[unit, refused]])));
      return { inventory, ownership: new Ownership(logins, inventory.claims), refused };
    } catch (error) {
      return { failure: unreachable(engine, error, this.#watch) };
    }
  }
}

/** A question that takes longer, in milliseconds, is given up. */
const QUESTION_LIMIT = 10 * 60_000;

interface SeenServer {
  readonly inventory: Inventory;
  readonly ownership: Ownership;
  /** Accounts of which it is not known what they have, and why. */
  readonly refused: ReadonlyMap<string, string>;
}

type ServerState = SeenServer | { readonly failure: Failure };
