import { listAccounts } from './accounts.ts';
import { iniValue } from './ini.ts';
import { readServiceText } from './service-file.ts';

/** What the panel says of an account's part of a database server. */
export interface AccountLogin {
  /** The account's name. */
  readonly unit: string;
  /** What the names of its databases and users begin with; undefined when there is none. */
  readonly prefix: string | undefined;
  /** Its main user; undefined when there is none. */
  readonly admin: string | undefined;
  /** Why nothing of this is known though the panel has a file about it, in words. */
  readonly refused?: string;
}

/** What the panel says of all accounts and a service, `mysql` or `pgsql`. Only files that root alone can change count. */
export function accountLogins(accountsRoot: string, service: 'mysql' | 'pgsql'): AccountLogin[] {
  return listAccounts(accountsRoot).flatMap(({ name, folder }): AccountLogin[] => {
    const text = folder === undefined ? undefined : readServiceText(folder, service);
    if (text === undefined) return [];
    if (typeof text !== 'string') return [{ unit: name, prefix: undefined, admin: undefined, refused: text.reason }];
    const value = (key: string) => iniValue(text, service, key);
    return [{ unit: name, prefix: value('dbaseprefix'), admin: value('dbaseadmin') }];
  });
}
