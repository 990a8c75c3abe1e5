import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MysqlRestorer } from '../../core/databases/load/mysql/restore.ts';
import type { SwapPlan } from '../../core/databases/load/mysql/swap.ts';
import type { DatabaseOrder, DatabaseOutcome, Settled } from '../../core/databases/load/order.ts';
import { PostgresqlRestorer } from '../../core/databases/load/postgresql/restore.ts';
import { SwapJournal } from '../../core/databases/load/swap-journal.ts';
import type { RestoreTurn } from '../../core/databases/load/turn.ts';
import { type DatabaseAccount, ownerOf } from './account.ts';
import type { MariadbServer } from './mariadb-server.ts';
import type { PostgresqlServer } from './postgresql-server.ts';

/** A restore of an account, while there are no others. */
export const ALONE: RestoreTurn = { unit: 'site1', statementLimit: 600_000, isUnderWay: () => false, alone: (work) => work() };

/** A dump as it comes out of a backup, in pieces that cut statements anywhere. */
export async function* inPieces(bytes: Buffer, length = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

function orderOf(bytes: Buffer, account: DatabaseAccount, defaults: { characterSet: string; collation: string }): DatabaseOrder {
  const name = `${account.prefix}wp`;
  return {
    description: { name, ...defaults, tables: null, rows: null },
    dump: () => inPieces(bytes),
    target: name,
    owner: ownerOf(account),
    replacedName: `${name}_replaced`,
    signal: new AbortController().signal,
    progress: () => {},
    step: () => {},
  };
}

/** Restores of an account's database `wp`, each as a process of its own would do it. */
export class MariadbRestores {
  readonly #server: MariadbServer;
  readonly #account: DatabaseAccount;
  /** What is other than usual for it. */
  turn: Partial<RestoreTurn> = {};
  readonly journal = mkdtempSync(join(tmpdir(), 'apiscp-backup-journal-'));

  constructor(server: MariadbServer, account: DatabaseAccount) {
    this.#server = server;
    this.#account = account;
  }

  async restore(bytes: Buffer, given: Partial<DatabaseOrder> = {}): Promise<DatabaseOutcome> {
    const order = orderOf(bytes, this.#account, { characterSet: 'utf8mb4', collation: 'utf8mb4_unicode_ci' });
    const restorer = await this.#open();
    try {
      await restorer.settle();
      return await restorer.restore({ ...order, ...given });
    } finally {
      await restorer.close();
    }
  }

  async settle(): Promise<Settled[]> {
    const restorer = await this.#open();
    try {
      return await restorer.settle();
    } finally {
      await restorer.close();
    }
  }

  /** Leaves what a restore leaves that dies. */
  leave(plan: SwapPlan): void {
    new SwapJournal<SwapPlan>(this.journal).begin(plan.id, plan);
  }

  remove(): void {
    rmSync(this.journal, { recursive: true });
  }

  #open(): Promise<MysqlRestorer> {
    const { socket, password } = this.#server;
    return MysqlRestorer.open({ socket, user: 'root', password }, new SwapJournal<SwapPlan>(this.journal), { ...ALONE, ...this.turn });
  }
}

/** The same of PostgreSQL. */
export class PostgresqlRestores {
  readonly #server: PostgresqlServer;
  readonly #account: DatabaseAccount;
  /** What is other than usual for it. */
  turn: Partial<RestoreTurn> = {};

  constructor(server: PostgresqlServer, account: DatabaseAccount) {
    this.#server = server;
    this.#account = account;
  }

  async settle(): Promise<void> {
    const restorer = await this.#open();
    await restorer.settle().finally(() => restorer.close());
  }

  async restore(bytes: Buffer, given: Partial<DatabaseOrder> = {}): Promise<DatabaseOutcome> {
    const restorer = await this.#open();
    try {
      await restorer.settle();
      return await restorer.restore({ ...orderOf(bytes, this.#account, { characterSet: 'UTF8', collation: 'C.UTF-8' }), ...given });
    } finally {
      await restorer.close();
    }
  }

  #open(): Promise<PostgresqlRestorer> {
    const { socketFolder: host, port, password } = this.#server;
    return PostgresqlRestorer.open({ host, port, user: 'postgres', password }, { ...ALONE, ...this.turn });
  }
}

/** A restore of a process of its own, which is killed at a step. */
export const KILLED = `
  const { MariadbRestores } = await import(process.argv[1]);
  const { server, account, journal, dump, step } = JSON.parse(process.argv[2]);
  const restores = Object.assign(new MariadbRestores(server, account), { journal });
  await restores.restore(Buffer.from(dump, 'base64'), { step: (name) => void (name === step && process.kill(process.pid, 'SIGKILL')) });
`;

/** The same of PostgreSQL. */
export const KILLED_POSTGRESQL = `
  const { PostgresqlRestores } = await import(process.argv[1]);
  const { server, account, dump, step } = JSON.parse(process.argv[2]);
  await new PostgresqlRestores(server, account).restore(Buffer.from(dump, 'base64'), {
    step: (name) => void (name === step && process.kill(process.pid, 'SIGKILL')),
  });
`;
