/**
 * Makes a golden repository that has an object of every kind, by the program as it is now: `node test/golden/make-complete.ts NAME plain|passphrase`. Needs MariaDB and
 * PostgreSQL. What is there is never made again.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { adopt } from '../../core/commands/adopt.ts';
import { hold } from '../../core/commands/hold.ts';
import { keys } from '../../core/commands/keys.ts';
import { prune } from '../../core/commands/prune.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { KINDS, objectsOf } from '../damage/kinds.ts';
import { makeMariadbAccount, makePostgresqlAccount } from '../databases/account.ts';
import { MariadbServer } from '../databases/mariadb-server.ts';
import { PostgresqlServer } from '../databases/postgresql-server.ts';
import { described, type Expected, placeOf } from './golden.ts';
import { writeExpected } from './write-expected.ts';

const DAY = 24 * 3_600_000;
const ACCOUNT = { prefix: 'one_', user: 'owner1', password: 'secretpassword', databases: ['wp'] };
const LEVELS = ['full', 'incremental', 'differential', 'incremental'] as const;

const [name = '', kind = ''] = process.argv.slice(2);
if (!/^[a-z-]+$/.test(name) || !['plain', 'passphrase'].includes(kind)) throw new Error('NAME plain|passphrase');
const place = placeOf(name);
if (existsSync(place)) throw new Error(`${place} is there, and stays as it is`);

const sandbox = new Sandbox();
const [mariadb, postgresql] = await Promise.all([MariadbServer.start(), PostgresqlServer.start()]);
const trees: Record<string, Expected['trees'][string]> = {};
const passphraseFile = join(sandbox.folder, 'passphrase');
const begin = Date.now();

function goTo(moment: number): void {
  execFileSync('python3', [join(import.meta.dirname, 'account.py'), sandbox.site, String(moment)]);
}

async function write(text: string): Promise<void> {
  for (const server of [mariadb, postgresql]) await server.run(`DELETE FROM notes; INSERT INTO notes VALUES ('${text}')`, 'one_wp');
}

async function backUp(level: (typeof LEVELS)[number]): Promise<string> {
  const { snapshot, error, warningCount } = await sandbox.back(level);
  if (snapshot === null || warningCount > 0) throw new Error(JSON.stringify({ error, warningCount }));
  return snapshot;
}

/** The keys were others before. */
async function init(): Promise<void> {
  writeFileSync(passphraseFile, 'correct horse battery\n', { mode: 0o600 });
  const { recipient } = await newIdentity();
  await sandbox.init(kind === 'plain' ? {} : { passphraseFile });
  await keys({ recipients: [recipient], ...(kind === 'plain' ? { passphraseFile } : {}) }, sandbox.context);
  if (kind === 'plain') await keys({ plain: true }, sandbox.context);
}

try {
  await makeMariadbAccount(mariadb, ACCOUNT);
  await makePostgresqlAccount(postgresql, ACCOUNT);
  await mariadb.run('CREATE TABLE notes (text TEXT)', 'one_wp');
  await postgresql.run('CREATE TABLE notes (text text); ALTER TABLE notes OWNER TO owner1', 'one_wp');
  sandbox.set('databases', {
    mysql: { socket: mariadb.socket, credentials: mariadb.optionFile },
    postgresql: { socket: postgresql.socketFolder, credentials: postgresql.passwordFile },
  });
  sandbox.set('recovery', { percent: 30 });
  sandbox.set('retention', { levels: { full: '70 days', differential: '70 days', incremental: '70 days' } });
  sandbox.set('limits', { workers: 1 });
  await init();
  execFileSync('rm', ['-r', join(sandbox.site, 'info'), sandbox.shadow]);
  goTo(0);
  for (const [service, file] of [
    ['mysql', 'mysql'],
    ['pgsql', 'pgsql'],
  ] as const)
    writeFileSync(join(sandbox.site, 'info/current', file), `[${service}]\nenabled = 1\ndbaseprefix = one_\ndbaseadmin = owner1\n`);
  await write('of long ago');
  sandbox.now = () => new Date(begin - 160 * DAY);
  await backUp('full');
  sandbox.now = () => new Date(begin - 100 * DAY);
  for (const [moment, level] of LEVELS.entries()) {
    if (moment > 0) goTo(moment);
    await write(`at moment ${moment}`);
    trees[await backUp(level)] = await described(sandbox.site);
    if (moment > 0) continue;
    sandbox.now = () => new Date(begin - 40 * DAY);
    await prune({ yes: true }, sandbox.context);
    sandbox.now = () => new Date();
    const [server] = globSync(join(sandbox.repository, 'servers/*')) as [string];
    for (const _ of [1, 2]) await adopt({ server: basename(server), yes: true }, sandbox.context);
  }
  for (const snapshot of Object.keys(trees).slice(2)) await hold({ unit: 'site1', snapshot, reason: 'kept for ever' }, sandbox.context);
  const { settings, reporter } = sandbox.context;
  const { units } = await openRepository(settings, 'write', (notice) => reporter.log(notice));
  const [unit] = (await units.ids()) as [string];
  for (const incarnation of ['1-1', '2-2']) await units.addNote({ unit, kind: 'continued', incarnation, reason: 'moved' });
  mkdirSync(place, { recursive: true });
  if (kind === 'passphrase') cpSync(passphraseFile, join(place, 'passphrase'));
  cpSync(sandbox.repository, join(place, 'repository'), { recursive: true, filter: (file) => !file.endsWith('/.incoming') });
} finally {
  await Promise.all([mariadb.stop(), postgresql.stop()]);
  await sandbox.remove();
}
const [folder] = globSync(join(place, 'repository/servers/*')) as [string];
const lacking = KINDS.filter((each) => objectsOf(each, folder).length === 0).map((each) => each.kind);
if (lacking.length > 0) throw new Error(`it has no ${lacking.join(', ')}`);
await writeExpected(name, trees);
