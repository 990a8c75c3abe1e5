import type { Options } from 'execa';
import { Failure } from '../failure.ts';
import type { SystemUser } from '../linux/connect-as.ts';
import { CHILD_ENVIRONMENT } from './programs.ts';

/** A program and its arguments. No secret stands in them: other users of the server can see them. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** As whom it runs; undefined: as this process. */
  readonly as: SystemUser | undefined;
  /** Variables beside those that every child process has. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** How a child process ended. */
export interface ChildEnd {
  /** Undefined when it did what it should. */
  readonly failure: string | undefined;
  /** What it wrote on its stderr, shortened. */
  readonly stderr: string;
  /** Its exit code; null when a signal ended it, or it was never started. */
  readonly exitCode: number | null;
}

/** What a child process is given and how it is watched. */
export interface ChildWatch {
  /** After so many milliseconds it is ended. */
  readonly timeLimit: number;
  readonly signal: AbortSignal;
}

const STDERR_KEPT = 4000;

/** The environment, the folder and the user of every child process. */
export function childOptions({ as, environment }: Pick<Command, 'as' | 'environment'>, { timeLimit, signal }: ChildWatch): Options {
  return {
    ...as,
    env: { ...CHILD_ENVIRONMENT, ...environment },
    extendEnv: false,
    cwd: '/',
    timeout: timeLimit,
    cancelSignal: signal,
    // What does not end when asked is ended soon after.
    forceKillAfterDelay: 5000,
    reject: false,
    buffer: false,
    windowsHide: false,
  };
}

/** Runs a command with `input` on its stdin and gives what it wrote. Throws `database_unreachable` with what it said when it fails. */
export async function runCommand(command: Command, input: string, watch: ChildWatch): Promise<string> {
  // A run on a server without databases starts nothing and does without it.
  const { execa } = await import('execa');
  const child = execa(command.program, command.args, { ...childOptions(command, watch), input, buffer: true, maxBuffer: 256 * 1024 ** 2 });
  const ended = await child;
  if (ended.failed) throw new Failure('database_unreachable', whyEnded(ended, shortened(String(ended.stderr))), { retry: true });
  return String(ended.stdout);
}

/** In words why a child process did not do what it should. */
export function whyEnded(ended: ChildResult, stderr: string): string {
  const said = stderr === '' ? '' : `: ${stderr}`;
  if (ended.timedOut === true) return `it was ended, because it took too long${said}`;
  if (ended.isCanceled === true) return 'it was stopped';
  if (ended.signal !== undefined) return `it was ended by ${ended.signal}${said}`;
  if (ended.exitCode !== undefined) return `it ended with exit code ${ended.exitCode}${said}`;
  return `it could not be started: ${ended.originalMessage ?? 'refused'}`;
}

/** What execa tells of an end. */
export interface ChildResult {
  readonly failed: boolean;
  readonly timedOut?: boolean;
  readonly isCanceled?: boolean;
  readonly signal?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly originalMessage?: string | undefined;
}

/** The beginning and the end of a long text, in one line each. */
export function shortened(text: string): string {
  const lines = text.trim().replaceAll(/\s*\n\s*/g, '; ');
  return lines.length <= STDERR_KEPT ? lines : `${lines.slice(0, STDERR_KEPT / 2)} … ${lines.slice(-STDERR_KEPT / 2)}`;
}
