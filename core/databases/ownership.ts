import type { AccountLogin } from '../panel/account-logins.ts';

/** A user who has rights on exactly this database, or owns it. */
export interface Claim {
  readonly database: string;
  readonly user: string;
}

/** A prefix of one character would be everybody's. */
const PREFIX = /^.+_$/s;

/**
 * Whose a database is: the account's with the longest prefix that the name begins with; else that of the only account whose users have rights on
 * it, as after a change of the prefix. A prefix that two accounts have is nobody's.
 */
export class Ownership {
  readonly #prefixes = new Map<string, string | undefined>();
  readonly #admins = new Map<string, string | undefined>();
  readonly #claims = new Map<string, string[]>();

  constructor(accounts: readonly AccountLogin[], claims: readonly Claim[]) {
    for (const { unit, prefix, admin } of accounts) {
      if (prefix !== undefined && PREFIX.test(prefix)) this.#prefixes.set(prefix, this.#prefixes.has(prefix) ? undefined : unit);
      if (admin !== undefined) this.#admins.set(admin, this.#admins.has(admin) ? undefined : unit);
    }
    for (const { database, user } of claims) this.#claims.set(database, [...(this.#claims.get(database) ?? []), user]);
  }

  /** The unit that a database belongs to; undefined when it is no account's. */
  ofDatabase(name: string): string | undefined {
    const byPrefix = this.#byPrefix(name);
    if (byPrefix !== undefined) return byPrefix.unit;
    const units = new Set((this.#claims.get(name) ?? []).map((user) => this.ofUser(user)).filter((unit) => unit !== undefined));
    return units.size === 1 ? [...units][0] : undefined;
  }

  /** The unit that a user belongs to; undefined when it is no account's. */
  ofUser(name: string): string | undefined {
    return this.#admins.has(name) ? this.#admins.get(name) : this.#byPrefix(name)?.unit;
  }

  /** The unit that every database belongs to whose name begins so; undefined when there is none, or some are of others. */
  ofAllWith(beginning: string): string | undefined {
    const isShared = [...this.#prefixes.keys()].some((prefix) => prefix !== beginning && prefix.startsWith(beginning));
    return isShared ? undefined : this.#byPrefix(beginning)?.unit;
  }

  #byPrefix(name: string): { readonly unit: string | undefined } | undefined {
    for (let end = name.lastIndexOf('_'); end > 0; end = name.lastIndexOf('_', end - 1)) {
      const prefix = name.slice(0, end + 1);
      if (this.#prefixes.has(prefix)) return { unit: this.#prefixes.get(prefix) };
    }
    return undefined;
  }
}
