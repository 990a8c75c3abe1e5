import type { ChildWatch, Command } from './child.ts';
import type { Engine } from './engine.ts';
import type { Claim } from './ownership.ts';

/** What a server tells of a database. */
export interface DatabaseFacts {
  readonly name: string;
  readonly characterSet: string;
  readonly collation: string;
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
  /** What the dump will not have, in words. */
  readonly leftOut: readonly string[];
}

/** A database server that answers. */
export interface DatabaseServer {
  readonly engine: Engine;
  /** As the server says it. */
  readonly version: string;
  inventory(watch: ChildWatch): Promise<Inventory>;
  /** Undefined when there is no such database any more. */
  planDump(name: string, watch: ChildWatch): Promise<DumpPlan | undefined>;
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
