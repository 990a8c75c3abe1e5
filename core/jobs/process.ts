import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isSea } from 'node:sea';
import { Failure } from '../failure.ts';
import { type Job, type Message, WORK_FOR_SUPERVISOR } from './messages.ts';

/** How a process ended that did not say so itself. */
export interface Death {
  readonly signal: NodeJS.Signals | null;
  readonly exitCode: number | null;
  /** It was not ready in time, and was ended for that. */
  readonly isLate: boolean;
}

/**
 * In milliseconds: a process that is not ready by then never will be. With too few threads for Node itself it waits for ever, before anything
 * of ours runs; ready it is within a tenth of a second.
 */
const START_LIMIT = 15_000;

/** The running program, also when its file was replaced meanwhile; from source or from the bundle what Node is to run. */
export function ownProgram(): [string, ...string[]] {
  if (isSea()) return ['/proc/self/exe'];
  const here = import.meta.filename;
  return [process.execPath, ...process.execArgv, here.endsWith('.ts') ? join(import.meta.dirname, '../main.ts') : here];
}

/**
 * Has another process of this program do the job. Everything it says goes to `hear`, in order, the last thing before this resolves.
 * After `signal` it is asked to stop; when this process ends, it ends as well.
 */
export async function workInProcess(job: Job, signal: AbortSignal, hear: (message: Message) => void): Promise<Death> {
  const [program, ...args] = ownProgram();
  const child = spawn(program, [...args, WORK_FOR_SUPERVISOR], { argv0: process.argv0, stdio: ['pipe', 'pipe', 'inherit'] });
  const stop = (): void => void child.kill('SIGTERM');
  const end = (): void => void child.kill('SIGKILL');
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    end();
  }, START_LIMIT);
  const ended = Promise.withResolvers<Death>();
  child.on('error', (error) =>
    ended.reject(new Failure('io_error', `a process was refused: ${error.message}`, { retry: true, cause: error })),
  );
  child.on('close', (exitCode, signal) => ended.resolve({ signal, exitCode, isLate }));
  // Whoever is dead before it read its job is told by its end.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(job));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = messageOf(line);
    if (message?.type === 'ready') clearTimeout(late);
    if (message !== undefined) hear(message);
  });
  signal.addEventListener('abort', stop);
  process.on('exit', end);
  if (signal.aborted) stop();
  try {
    return await ended.promise;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', stop);
    process.off('exit', end);
  }
}

/** Undefined for what a process was just saying when it ended. */
function messageOf(line: string): Message | undefined {
  try {
    return JSON.parse(line) as Message;
  } catch {
    return undefined;
  }
}
