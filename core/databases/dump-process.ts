import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { makePipe } from '../linux/pipes.ts';
import { type Child, type Program, spawnProgram } from '../linux/spawn.ts';
import { type ChildEnd, type ChildResult, type ChildWatch, type Command, shortened, whyEnded } from './child.ts';
import { CHILD_ENVIRONMENT, findProgram } from './programs.ts';

/** A dump that is being made. */
export interface DumpProcess {
  /** Gives the dump, and its end when the process has ended or was stopped. */
  readonly descriptor: number;
  /** Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** Ends the process, unless it has ended. */
  stop(): void;
}

/** As much of what a process says is kept while it speaks. */
const KEPT = 64 * 1024;

/** In milliseconds: what does not end when asked is ended soon after. */
const FORCED_AFTER = 5000;
/** In milliseconds: what a process said is there when it has ended, unless another has its stderr. */
const LAST_WORDS = 1000;

/**
 * Starts a dump whose output is read from a pipe. The caller closes the descriptor when nobody reads from it any more. Not by execa: the fork
 * costs more than many a dump.
 */
export function startDump(command: Command, watch: ChildWatch): DumpProcess {
  const output = makePipe();
  try {
    const started = start(command, output.write);
    if ('failure' in started) return { descriptor: output.read, ended: Promise.resolve(started), stop: () => {} };
    return { descriptor: output.read, ...watched(started.child, started.stderr, watch) };
  } catch (error) {
    closeSync(output.read);
    throw error;
  } finally {
    // The child has its own by now; with this one open the stream would never end.
    closeSync(output.write);
  }
}

function start(command: Command, stdout: number): { readonly child: Child; readonly stderr: number } | ChildEnd {
  const pipe = makePipe();
  try {
    return { child: spawnProgram(programOf(command), { stdout, stderr: pipe.write }), stderr: pipe.read };
  } catch (error) {
    closeSync(pipe.read);
    const originalMessage = error instanceof Error ? error.message : undefined;
    return { failure: whyEnded({ failed: true, originalMessage }, ''), stderr: '', exitCode: null };
  } finally {
    closeSync(pipe.write);
  }
}

/** As another user through a program that becomes that one, for a short time, before it becomes the dump. */
function programOf({ program, args, as, environment }: Command): Program {
  const variables = { ...CHILD_ENVIRONMENT, ...environment };
  if (as === undefined) return { path: program, args, environment: variables };
  const options = [`--reuid=${as.uid}`, `--regid=${as.gid}`, '--clear-groups'];
  return { path: findProgram(['setpriv']), args: [...options, '--', program, ...args], environment: variables };
}

/** Ends a child that takes too long or is not wanted any more, and gathers what it says. */
function watched(child: Child, stderr: number, { timeLimit, signal }: ChildWatch): Pick<DumpProcess, 'ended' | 'stop'> {
  const words = new LastWords(stderr);
  let cause: Pick<ChildResult, 'timedOut' | 'isCanceled'> | undefined;
  let force: NodeJS.Timeout | undefined;
  const end = (why: NonNullable<typeof cause>): void => {
    if (cause !== undefined) return;
    cause = why;
    child.kill('SIGTERM');
    force = setTimeout(() => child.kill('SIGKILL'), FORCED_AFTER);
  };
  const stop = (): void => end({ isCanceled: true });
  const limit = setTimeout(() => end({ timedOut: true }), timeLimit);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const ended = child.exit.then(async (exit): Promise<ChildEnd> => {
    clearTimeout(limit);
    clearTimeout(force);
    signal.removeEventListener('abort', stop);
    const said = shortened(await words.afterEnd());
    const isWell = cause === undefined && 'exitCode' in exit && exit.exitCode === 0;
    const exitCode = 'exitCode' in exit ? (exit.exitCode ?? null) : null;
    return { failure: isWell ? undefined : whyEnded({ failed: true, ...exit, ...cause }, said), stderr: said, exitCode };
  });
  return { ended, stop };
}

/** What comes from the stderr of a process. */
class LastWords {
  readonly #socket: Socket;
  readonly #isOver: Promise<void>;
  #text = '';

  constructor(descriptor: number) {
    const socket = new Socket({ fd: descriptor, readable: true, writable: false });
    socket.on('data', (data) => {
      if (this.#text.length < KEPT) this.#text += data.toString();
    });
    socket.on('error', () => {});
    this.#isOver = new Promise((resolve) => void socket.on('close', () => resolve()));
    this.#socket = socket;
  }

  /** All that was said, when the process has ended. */
  async afterEnd(): Promise<string> {
    const patience = setTimeout(() => this.#socket.destroy(), LAST_WORDS);
    await this.#isOver;
    clearTimeout(patience);
    return this.#text;
  }
}
