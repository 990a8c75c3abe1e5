import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { databasesOf } from '../config/databases.ts';
import type { Settings } from '../config/settings.ts';
import type { DatabaseExport } from '../context/database-export.ts';
import { asFailure, Failure } from '../failure.ts';
import { type ChildEnd, type ChildWatch, runCommand } from './child.ts';
import { startDump } from './dump-process.ts';
import { findProgram, PROGRAM_FOLDERS } from './programs.ts';

/** The panel's home has either of two names. */
const HOMES = ['usr/local/apnscp', 'usr/local/apiscp'];
const SCRIPT = 'bin/scripts/backup_dbs.php';
const SCOPE = 'backups.automatic-database-exports';

/** Milliseconds for the answer of a Scope. */
const SCOPE_PATIENCE = 60_000;

/**
 * Has the panel export the databases of all accounts into their homes, by its own script and its own schedule of each database. Never throws but
 * when the run is stopped: whatever fails is in what it returns. Needs all rights of root, as the panel's programs do.
 */
export async function exportByPanel(
  settings: Pick<Settings, 'databases' | 'systemRoot'>,
  signal: AbortSignal,
  now: () => Date,
): Promise<DatabaseExport> {
  const at = now().toISOString();
  const started = performance.now();
  let automatic: boolean | null = null;
  let said: string | null = null;
  let exitCode: number | null = null;
  let error: DatabaseExport['error'] = null;
  try {
    const { php, home } = panelIn(settings.systemRoot);
    const ended = await runScript(php, join(home, SCRIPT), { timeLimit: databasesOf(settings).timeLimit, signal });
    said = ended.stderr === '' ? null : ended.stderr;
    exitCode = ended.exitCode;
    if (ended.failure !== undefined) throw new Failure('database_export_failed', ended.failure);
    automatic = await isAutomatic(php, home, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    error = { code: 'database_export_failed', message: `the panel’s export of databases failed: ${asFailure(thrown).message}` };
  }
  return {
    name: 'panel',
    at,
    seconds: Math.round(performance.now() - started) / 1000,
    result: error === null ? 'ok' : 'failed',
    automatic,
    exitCode,
    said,
    error,
  };
}

/** What it writes for people goes nowhere. A process that it leaves behind is not waited for. */
async function runScript(php: string, script: string, watch: ChildWatch): Promise<ChildEnd> {
  const { descriptor, ended } = startDump({ program: php, args: [script], as: undefined }, watch);
  const output = new Socket({ fd: descriptor, readable: true, writable: false });
  output.on('error', () => {}).resume();
  try {
    return await ended;
  } finally {
    output.destroy();
  }
}

/** Whether the panel exports databases every night by itself; null where it does not say. */
export async function exportsByItself({ systemRoot }: Pick<Settings, 'systemRoot'>, signal: AbortSignal): Promise<boolean | null> {
  try {
    const { php, home } = panelIn(systemRoot);
    return await isAutomatic(php, home, signal);
  } catch {
    return null;
  }
}

function panelIn(systemRoot: string): { readonly php: string; readonly home: string } {
  const home = HOMES.map((each) => join(systemRoot, each)).find((each) => existsSync(join(each, SCRIPT)));
  if (home === undefined)
    throw new Failure('database_unreachable', `there is no ${HOMES.map((each) => `/${each}/${SCRIPT}`).join(' or ')}`);
  return { php: findProgram(['apnscp_php'], [...PROGRAM_FOLDERS.map((folder) => join(systemRoot, folder)), join(home, 'bin')]), home };
}

/** Null where the panel has no such Scope, or does not answer. */
async function isAutomatic(php: string, home: string, signal: AbortSignal): Promise<boolean | null> {
  const command = { program: php, args: [join(home, 'bin/cmd'), '-o', 'json', 'scope:get', SCOPE], as: undefined };
  const answer = await runCommand(command, '', { timeLimit: SCOPE_PATIENCE, signal }).catch(() => '');
  const text = answer.trim();
  return ['true', '1'].includes(text) ? true : ['false', '0'].includes(text) ? false : null;
}
