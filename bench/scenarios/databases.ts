import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MariadbServer } from '../../test/databases/mariadb-server.ts';
import type { DatabasePlace } from '../databases/database-place.ts';
import { HostedDatabases } from '../databases/hosted-databases.ts';
import { runSteps } from '../run-steps.ts';
import { DATABASE_STEPS } from '../steps.ts';
import type { PresentTool } from '../tools/choose.ts';
import type { Bench } from './bench.ts';

const ACCOUNTS = 20;
const DATABASES_PER_ACCOUNT = 10;
const CHANGED_IN_A_DAY = 3;

/** A server of 200 databases, of which three change in a day: what counts is what a day stores. */
export async function runDatabases(
  { size, folder, rounds, text, journal }: Bench,
  tools: readonly PresentTool<DatabasePlace>[],
): Promise<void> {
  const workFolder = join(folder, 'work');
  rmSync(workFolder, { recursive: true, force: true });
  const accountsRoot = join(workFolder, 'accounts');
  const plan = { seed: size.server.seed, accounts: ACCOUNTS, databasesPerAccount: DATABASES_PER_ACCOUNT, rows: size.databaseRows };
  journal.say(`databases: ${ACCOUNTS * DATABASES_PER_ACCOUNT} with ${plan.rows} rows each`);
  const server = await MariadbServer.start(['--max-connections=500']);
  try {
    const hosted = new HostedDatabases(server, plan, text);
    await hosted.make(accountsRoot);
    const { accounts, names: databases } = hosted;
    const { socket, optionFile } = server;
    const contenders = tools.map(({ kind }, index) => {
      const own = join(workFolder, `tool-${index}`);
      mkdirSync(own);
      return { name: kind.name, tool: kind.at({ accountsRoot, accounts, folder: own, databases, socket, optionFile }) };
    });
    const nextDay = () => hosted.nextDay(CHANGED_IN_A_DAY);
    await runSteps(DATABASE_STEPS, { accountsRoot, contenders, rounds, workFolder, account: 'site1', nextDay }, journal);
  } finally {
    await server.stop();
    rmSync(workFolder, { recursive: true, force: true });
  }
}
