import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { deserialize } from 'node:v8';
import { execa } from 'execa';
import type { MethodName } from '../../core/schemas/messages.ts';
import type { Server } from '../faults/server.ts';
import type { Change } from './layer/change.ts';

const LAYER = join(import.meta.dirname, 'layer/install.ts');
const CHILD = join(import.meta.dirname, 'child.ts');

/** What a process does, and where it is stopped. */
export interface Point {
  readonly folder: string;
  readonly accounts: string;
  readonly method: MethodName;
  readonly request: Readonly<Record<string, unknown>>;
  /** Of the changing calls, from 1; 0: it is not stopped. */
  readonly nth: number;
  readonly moment: 'before' | 'after';
  /** SIGKILL if none is given. */
  readonly signal?: 'SIGSTOP';
  /** A file that gets all changes; none: they are not noted. */
  readonly record?: string;
}

/** A call that changes something; one that the system refuses changed nothing, and has no moment after it. */
export interface Call {
  readonly name: string;
  isRefused: boolean;
}

/** How a process ended that was not stopped. */
export interface Unstopped {
  readonly calls: readonly Call[];
  readonly exitCode: number;
  readonly error: unknown;
}

function spawn(point: Point) {
  const args = ['--disable-warning=ExperimentalWarning', '--import', LAYER, CHILD, JSON.stringify(point)];
  return execa(process.execPath, args, { reject: false, timeout: 120_000, killSignal: 'SIGABRT' });
}

async function start(point: Point): Promise<{ signal: string | undefined; said: string }> {
  const { signal, stdout, stderr } = await spawn(point);
  return { signal, said: stdout === '' ? stderr : stdout };
}

type Command = Pick<Point, 'method' | 'request'>;

/** Carries out a command, which must go well. */
async function whole(server: Server, command: Command, record?: string): Promise<readonly Call[]> {
  const { folder, accounts } = server;
  const { said } = await start({ folder, accounts, ...command, nth: 0, moment: 'before', ...(record === undefined ? {} : { record }) });
  if (!said.startsWith('{')) throw new Error(`${command.method} broke: ${said}`);
  const { calls, exitCode, error } = JSON.parse(said) as Unstopped;
  if (exitCode !== 0) throw new Error(`${command.method}, which was not stopped, ended with ${exitCode}: ${JSON.stringify(error)}`);
  return calls;
}

/** The changing calls of a command, which is carried out. */
export function changingCalls(server: Server, command: Command): Promise<readonly Call[]> {
  return whole(server, command);
}

/** The same, with all that they changed. */
export async function recordChanges(
  server: Server,
  command: Command,
): Promise<{ readonly calls: readonly Call[]; readonly changes: readonly Change[] }> {
  const record = `${server.folder}.changes`;
  const calls = await whole(server, command, record);
  const changes = deserialize(readFileSync(record)) as Change[];
  rmSync(record);
  return { calls, changes };
}

/** Stops a command at a changing call; false when the command ended before it came. */
export async function killAt(server: Server, command: Command, at: Pick<Point, 'nth' | 'moment'>): Promise<boolean> {
  const { signal, said } = await start({ folder: server.folder, accounts: server.accounts, ...command, ...at });
  if (signal === 'SIGABRT') throw new Error(`${command.method} hangs`);
  if (signal === undefined && !said.startsWith('{')) throw new Error(`${command.method} broke: ${said}`);
  return signal === 'SIGKILL';
}

/** A process that stands still in the middle of a command. */
export interface Frozen {
  readonly goOn: () => Promise<Unstopped>;
  readonly kill: () => Promise<void>;
}

/** Starts a command and waits until it stands still before its `nth` changing call, with all that it holds. */
export async function frozenAt(server: Server, command: Command, nth: number): Promise<Frozen> {
  const { folder, accounts } = server;
  const child = spawn({ folder, accounts, ...command, nth, moment: 'before', signal: 'SIGSTOP' });
  const isFrozen = (): boolean => /\) T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
  while (!isFrozen()) await setTimeout(10);
  return {
    goOn: async () => {
      child.kill('SIGCONT');
      return JSON.parse((await child).stdout) as Unstopped;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await child;
    },
  };
}
