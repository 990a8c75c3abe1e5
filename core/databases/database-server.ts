import type { ChildWatch, Command } from './child.ts';
import type { Engine } from './engine.ts';
import type { LeftOut } from './left-out.ts';
import type { Claim } from './ownership.ts';

/** What a server tells of a database. */
export interface DatabaseFacts {
  readonly name: string;
  readonly characterSet: string;
  readonly collation: string;
  /** Of PostgreSQL: what compares texts in it. */
  readonly locale?: DatabaseLocale;
}

/** By which library texts are compared, and by which of its rules. */
export interface DatabaseLocale {
  readonly provider: 'libc' | 'icu' | 'builtin';
  readonly ctype: string;
  /** Of ICU and of the server itself. */
  readonly name?: string;
  readonly rules?: string;
}

/** What a server has, at one moment. */
export interface Inventory {
  readonly databases: readonly DatabaseFacts[];
  readonly claims: readonly Claim[];
  readonly users: readonly string[];
}

/** How a dump comes to one moment: by a transaction, or because nobody may write to the database meanwhile. */
export type Consistency = 'snapshot' | 'locked';

/** How a database is dumped. */
export interface DumpPlan {
  readonly command: Command;
  readonly consistency: Consistency;
  /** What the dump will not have. */
  readonly leftOut: readonly LeftOut[];
}

/** A database server that answers. */
export interface DatabaseServer {
  readonly engine: Engine;
  /** As the server says it. */
  readonly version: string;
  inventory(watch: ChildWatch): Promise<Inventory>;
  /** The folders in which it has its live files, as it names them. */
  dataFolders(watch: ChildWatch): Promise<string[]>;
  /**
   * Undefined when there is no such database any more.
   *
   * @param without what is known to break a dump off
   */
  planDump(name: string, without: readonly LeftOut[], watch: ChildWatch): Promise<DumpPlan | undefined>;
  /** What of a database broke a dump off, by what the dump said: another one leaves it out. Nothing: it was something else. */
  brokenParts(name: string, said: string, watch: ChildWatch): Promise<LeftOut[]>;
  /** Statements that make these users with their passwords' hashes and rights. */
  users(names: readonly string[], watch: ChildWatch): Promise<string>;
  /** Nothing is asked any more. */
  close(): Promise<void>;
}

/** Where a server is, and how root reaches it. */
export interface MysqlPlace {
  readonly socket: string;
  /** An option file with the login. When it is not there, root logs in by who it is. */
  readonly credentials: string;
}

export interface PostgresqlPlace {
  /** The folder of the socket. */
  readonly socket: string;
  readonly port: number;
  /** A password file. When it is not there, the system's user `postgres` logs in by who it is. */
  readonly credentials: string;
}
