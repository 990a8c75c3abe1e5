import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { limitsOf } from '../../config/limits.ts';
import type { Context } from '../../context/context.ts';
import { Failure } from '../../failure.ts';
import type { JobMethod } from '../../schemas/jobs.ts';
import { PERFORM_JOB, SETTLE_JOB, STAND_IN_FOR_JOB } from '../messages.ts';
import { ownProgram } from '../process.ts';
import { unitArguments } from './systemd-unit.ts';

/** systemd is the one that starts services here when this folder is there. */
const RUNS_SYSTEMD = '/run/systemd/system';
const SYSTEMD_RUN = ['/usr/bin/systemd-run', '/bin/systemd-run'];

/**
 * In milliseconds; it answers when the unit is started, as a rule within a tenth of this. Whoever asked for the job waits meanwhile. A systemd
 * that is reading all of its units again can take longer.
 */
const SYSTEMD_PATIENCE = 600;
const LATE = 'it has not answered yet';

/** The program that starts units; undefined where systemd does not run. */
export function systemdRun(): string | undefined {
  return existsSync(RUNS_SYSTEMD) ? SYSTEMD_RUN.find((program) => existsSync(program)) : undefined;
}

export interface Launched {
  readonly id: string;
  readonly method: JobMethod;
  readonly folder: string;
}

/**
 * Starts a process for a job that belongs to nobody who may end: a unit of systemd, which the panel's restart does not reach; or else a
 * session of its own. Throws `io_error` when the system gives none.
 */
export async function launch(job: Launched, context: Context, starter: string | undefined): Promise<'unit' | 'session'> {
  const { settings, settingsFile, reporter } = context;
  const args = [job.folder, ...(settingsFile === undefined ? [] : [settingsFile])];
  if (starter !== undefined) {
    // The unit's program is another process than this one: it finds the program by its name.
    const [own, ...flags] = ownProgram();
    const program = own === '/proc/self/exe' ? process.execPath : own;
    const settling = [program, ...flags, SETTLE_JOB, job.folder];
    const start = (isOld: boolean) =>
      runs([starter, ...unitArguments(job, limitsOf(settings), settling, isOld), '--', program, ...flags, PERFORM_JOB, ...args]);
    const refused = await start(false);
    if (refused === undefined) return 'unit';
    const problem = refused === LATE ? refused : await start(true);
    if (problem === undefined) return 'unit';
    const isLate = problem === LATE;
    const unless = isLate ? 'unless one comes within seconds, ' : '';
    const message = `systemd-run started no unit (${problem}): ${unless}the job runs in a session of its own, which a restart of the panel may reach`;
    reporter.log({ level: 'warning', code: 'unit_refused', message, affected: [job.id] });
    await startSession([isLate ? STAND_IN_FOR_JOB : PERFORM_JOB, ...args]);
    return 'session';
  }
  await startSession([PERFORM_JOB, ...args]);
  return 'session';
}

/** What the environment of a job has; nobody's variables steer it. */
function environment(): Record<string, string> {
  const { PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', TZ } = process.env;
  return { PATH, HOME: '/root', LANG: 'C.UTF-8', ...(TZ === undefined ? {} : { TZ }) };
}

/** Undefined when the program ended well; else why not. What takes too long is left alone: the unit that it asked for may still come. */
async function runs([program, ...args]: readonly string[]): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const child = spawn(program as string, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environment(),
    detached: true,
    cwd: '/',
  });
  const late = setTimeout(() => {
    child.unref();
    child.stderr.destroy();
    resolve(LATE);
  }, SYSTEMD_PATIENCE);
  let said = '';
  child.stderr.on('data', (text) => {
    said = (said + String(text)).slice(-500);
  });
  child.on('error', (error) => resolve(error.message));
  child.on('close', (code, signal) => resolve(code === 0 ? undefined : said.trim() || signal || `exit code ${code}`));
  return await promise.finally(() => clearTimeout(late));
}

async function startSession(args: readonly string[]): Promise<void> {
  const [program, ...flags] = ownProgram();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn(program, [...flags, ...args], {
    argv0: process.argv0,
    detached: true,
    stdio: 'ignore',
    env: environment(),
    cwd: '/',
  });
  child.on('spawn', resolve);
  child.on('error', (error) => reject(new Failure('io_error', `a process was refused: ${error.message}`, { retry: true, cause: error })));
  child.unref();
  await promise;
}
