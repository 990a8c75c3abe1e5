import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { libc } from './libc.ts';
import { check, SystemError } from './system-error.ts';

/** A program that is to run beside this one, in the folder `/`. */
export interface Program {
  readonly path: string;
  /** Behind the program's own name. */
  readonly args: readonly string[];
  /** All that it gets of an environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Descriptors of this process that the program writes to. */
export interface Outputs {
  readonly stdout: number;
  readonly stderr: number;
}

/** How a child process ended: by itself, or by a signal. */
export type ChildExit = { readonly exitCode: number } | { readonly signal: NodeJS.Signals };

/** A program that runs. */
export interface Child {
  readonly pid: number;
  /** Never rejects. */
  readonly exit: Promise<ChildExit>;
  /** Sends a signal, unless it has ended. */
  kill(signal: NodeJS.Signals): void;
}

// spawn.h
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
/** More than either of them has in glibc. */
const STRUCT_BYTES = 512;
/** Of `sigset_t` in glibc. */
const SIGNAL_SET_BYTES = 128;
const LAST_STANDARD_STREAM = 2;
// fcntl(2)
const F_SETFD = 2;
const FD_CLOEXEC = 1;
// wait(2)
const WNOHANG = 1;

/** What starts a program in that folder where the C library cannot. */
const IN_ROOT = ['/usr/bin/env', '--chdir=/'] as const;

/** The signals as a program expects them: none is held back, and none ignored, as Node ignores SIGPIPE. */
let signalsAsUsual: Buffer | undefined;

interface Living {
  readonly pid: number;
  readonly resolve: (exit: ChildExit) => void;
}

const living = new Set<Living>();
let isPrepared = false;

/**
 * Starts a program with nothing but its standard streams, the first of which is empty. It shares this process's memory until it is a program
 * of its own: nothing is copied, however much there is, unlike with Node's own way, which forks. For the main thread alone. What has not
 * ended when this process exits is killed.
 *
 * @throws SystemError when it cannot be started
 */
export function spawnProgram({ path, args, environment }: Program, { stdout, stderr }: Outputs): Child {
  prepare();
  const pid = new Int32Array(1);
  const enter = libc.posix_spawn_file_actions_addchdir_np;
  const [file, ...rest] = enter === undefined ? [...IN_ROOT, path, ...args] : [path, ...args];
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  for (const text of [path, ...args, ...variables]) if (text.includes('\0')) throw new RangeError('an argument cannot hold a NUL byte');
  const streams = Buffer.alloc(STRUCT_BYTES);
  succeed(libc.posix_spawn_file_actions_init(streams), path);
  try {
    succeed(libc.posix_spawn_file_actions_addopen(streams, 0, '/dev/null', 0, 0), path);
    succeed(libc.posix_spawn_file_actions_adddup2(streams, stdout, 1), path);
    succeed(libc.posix_spawn_file_actions_adddup2(streams, stderr, 2), path);
    if (enter !== undefined) succeed(enter(streams, '/'), path);
    succeed(libc.posix_spawn(pid, file, streams, signals(), [file, ...rest, null], [...variables, null]), path);
  } finally {
    libc.posix_spawn_file_actions_destroy(streams);
  }
  return watched(pid[0] as number);
}

function watched(pid: number): Child {
  const { promise: exit, resolve } = Promise.withResolvers<ChildExit>();
  const own: Living = { pid, resolve };
  living.add(own);
  return {
    pid,
    exit,
    kill(signal) {
      // Once it is waited for, its number can be another's.
      if (living.has(own)) process.kill(pid, signal);
    },
  };
}

function signals(): Buffer {
  if (signalsAsUsual !== undefined) return signalsAsUsual;
  const attributes = Buffer.alloc(STRUCT_BYTES);
  succeed(libc.posix_spawnattr_init(attributes), 'attributes');
  libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  libc.posix_spawnattr_setsigmask(attributes, Buffer.alloc(SIGNAL_SET_BYTES));
  libc.posix_spawnattr_setsigdefault(attributes, Buffer.alloc(SIGNAL_SET_BYTES, 0xff));
  signalsAsUsual = attributes;
  return attributes;
}

function succeed(error: number, subject: string): void {
  if (error !== 0) throw new SystemError('posix_spawn', error, subject);
}

/** Before the first child: the end of none is missed, and none inherits what whoever started this process may have left open. */
function prepare(): void {
  if (isPrepared) return;
  isPrepared = true;
  for (const name of readdirSync('/proc/self/fd')) if (Number(name) > LAST_STANDARD_STREAM) libc.fcntl(Number(name), F_SETFD, FD_CLOEXEC);
  process.on('SIGCHLD', reap);
  process.on('exit', () => {
    for (const { pid } of living) process.kill(pid, 'SIGKILL');
  });
}

/** Looks which have ended: several ends may come as one signal. Children that others started are left to them. */
function reap(): void {
  const status = new Int32Array(1);
  for (const child of living) {
    if (check(libc.waitpid(child.pid, status, WNOHANG), 'waitpid') === 0) continue;
    living.delete(child);
    child.resolve(exitOf(status[0] as number));
  }
}

function exitOf(status: number): ChildExit {
  const number = status & 0x7f;
  if (number === 0) return { exitCode: (status >> 8) & 0xff };
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? ['SIGKILL'];
  return { signal: name as NodeJS.Signals };
}
