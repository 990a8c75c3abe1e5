import type { DatabaseOwner } from './order.ts';

/** Users of an account as statements that were made here, from what a snapshot says of them. */
export interface RebuiltUsers {
  /** Their names; of PostgreSQL those that have to be made first when they are missing. */
  readonly users: readonly string[];
  /** To be executed by the administrator before the databases are there, and after. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** What is not brought back, in words. */
  readonly notes: readonly string[];
}

/** Whose users and databases may be named. */
export interface OwnNames extends DatabaseOwner {
  /** Databases of the account whose names do not begin with its prefix. */
  readonly databases: ReadonlySet<string>;
}

export function isOwnUserName({ user, prefix, ownsUser }: OwnNames, name: string): boolean {
  return name === user || (prefix !== undefined && name.startsWith(prefix) && ownsUser(name));
}

export function isOwnDatabaseName({ prefix, databases, ownsDatabase }: OwnNames, name: string): boolean {
  return databases.has(name) || (prefix !== undefined && name.startsWith(prefix) && ownsDatabase(name));
}
