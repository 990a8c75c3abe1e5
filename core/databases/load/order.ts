import type { DatabaseLocale } from '../database-server.ts';

/** What a snapshot's record says of a database whose dump it has. */
export interface DatabaseDescription {
  readonly name: string;
  readonly characterSet: string;
  readonly collation: string;
  readonly locale?: DatabaseLocale | undefined;
  /** Tables whose rows the dump has, and how many rows those are; null: not counted. */
  readonly tables: number | null;
  readonly rows: number | null;
  /** What the dump does not have. */
  readonly leftOut?: readonly { readonly kind: string; readonly name: string; readonly reason: string }[] | undefined;
}

/** Who owns the databases of an account on a server: `user`, and all whose names begin with `prefix`. */
export interface DatabaseOwner {
  /** Ends in an underscore; undefined: the account has none. */
  readonly prefix: string | undefined;
  readonly user: string;
  /** It is nobody's: of the server itself. Its administrator may own what is in it. */
  readonly isServer: boolean;
  /** Whether a name is the account's: another one's prefix may begin with this one. */
  ownsUser(name: string): boolean;
  ownsDatabase(name: string): boolean;
  /** Whether every database is the account's whose name begins so. */
  ownsAllWith(beginning: string): boolean;
}

/** One database to bring back. */
export interface DatabaseOrder {
  readonly description: DatabaseDescription;
  readonly dump: () => AsyncIterable<Uint8Array>;
  /** The name that the restored database gets. */
  readonly target: string;
  readonly owner: DatabaseOwner;
  /** The name under which a database of the target's name is kept. */
  readonly replacedName: string;
  readonly signal: AbortSignal;
  /** Called with how many bytes of the dump are loaded. */
  readonly progress: (bytes: number) => void;
  /** Called before each step that changes something; a test lets it fail or die there. */
  readonly step: (name: string) => void | Promise<void>;
}

export interface DatabaseOutcome {
  readonly tables: number;
  readonly rows: number;
  /** Bytes of the dump. */
  readonly bytes: number;
  /** The name under which what was live before is kept; undefined: there was nothing. */
  readonly replaced: string | undefined;
  /** What the dump has and the restored database has not, in words. */
  readonly leftOut: readonly string[];
  /** What else is other than it was, in words. */
  readonly notes: readonly string[];
}

/** A database that was put back as it was, because an earlier restore of it had died in the middle. */
export interface Settled {
  readonly database: string;
  /** The name under which the tables of that restore are kept, in which others may have written; undefined: they had not come so far. */
  readonly kept: string | undefined;
}
