import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DatabaseAccount, makeMariadbAccount } from '../../test/databases/account.ts';
import type { MariadbServer } from '../../test/databases/mariadb-server.ts';
import { Random } from '../tree/random.ts';
import type { Text } from '../tree/text.ts';

/** What lies on the database server. */
export interface DatabasePlan {
  readonly seed: string;
  readonly accounts: number;
  readonly databasesPerAccount: number;
  /** Of each database; a row has about 250 bytes. */
  readonly rows: number;
}

const ROWS_AT_ONCE = 2000;
const TEXT_LENGTH = 220;
/** Of the rows of a database that changes. */
const CHANGED_SHARE = 0.01;

/** Accounts without files to speak of, and their databases. */
export class HostedDatabases {
  readonly names: readonly string[];
  readonly accounts: readonly string[];
  readonly #server: MariadbServer;
  readonly #plan: DatabasePlan;
  readonly #text: Text;
  #day = 0;

  constructor(server: MariadbServer, plan: DatabasePlan, text: Text) {
    this.#server = server;
    this.#plan = plan;
    this.#text = text;
    this.accounts = Array.from({ length: plan.accounts }, (_, index) => `site${index + 1}`);
    this.names = this.accounts.flatMap((account) => this.#names().map((name) => `${account}_${name}`));
  }

  #names(): string[] {
    return Array.from({ length: this.#plan.databasesPerAccount }, (_, index) => `shop${index + 1}`);
  }

  /** Makes the accounts below `accountsRoot`, and fills their databases. */
  async make(accountsRoot: string): Promise<void> {
    for (const account of this.accounts) {
      const [user, prefix] = [`${account}owner`, `${account}_`];
      makeFolders(join(accountsRoot, account), account, user, prefix);
      const made: DatabaseAccount = { prefix, user, password: account, databases: this.#names() };
      await makeMariadbAccount(this.#server, made);
    }
    const random = new Random(`${this.#plan.seed} databases`);
    const connection = await this.#server.connect();
    for (const name of this.names) {
      await connection.query(`USE ${name}; CREATE TABLE posts (id INT PRIMARY KEY, author INT UNSIGNED, text TEXT); BEGIN`);
      for (let from = 0; from < this.#plan.rows; from += ROWS_AT_ONCE) {
        const count = Math.min(ROWS_AT_ONCE, this.#plan.rows - from);
        const rows = Array.from({ length: count }, (_, index) => [from + index, random.word(), this.#words(random)]);
        await connection.query('INSERT INTO posts VALUES ?', [rows]);
      }
      await connection.query('COMMIT');
    }
    await connection.end();
  }

  /** Writes some rows of `count` databases anew, spread over each. */
  async nextDay(count: number): Promise<string[]> {
    const random = new Random(`${this.#plan.seed} databases day ${++this.#day}`);
    const first = random.below(this.names.length);
    const step = Math.floor(this.names.length / count);
    const changed = Array.from({ length: count }, (_, index) => this.names[(first + index * step) % this.names.length]!);
    const connection = await this.#server.connect();
    for (const name of changed) {
      for (let left = Math.ceil(this.#plan.rows * CHANGED_SHARE); left > 0; left--) {
        await connection.query(`UPDATE ${name}.posts SET text = ? WHERE id = ?`, [this.#words(random), random.below(this.#plan.rows)]);
      }
    }
    await connection.end();
    return changed;
  }

  #words(random: Random): string {
    return this.#text.piece(random, TEXT_LENGTH).toString('latin1');
  }
}

/** An account as the panel describes it. */
function makeFolders(folder: string, account: string, user: string, prefix: string): void {
  const info = join(folder, 'info/current');
  mkdirSync(info, { recursive: true });
  mkdirSync(join(folder, 'shadow'));
  writeFileSync(join(folder, 'shadow/index.html'), account);
  writeFileSync(join(info, 'siteinfo'), `[siteinfo]\ndomain = ${account}.test\nadmin_user = ${user}\n`);
  writeFileSync(join(info, 'mysql'), `[mysql]\nenabled = 1\ndbaseprefix = ${prefix}\ndbaseadmin = ${user}\n`);
}
