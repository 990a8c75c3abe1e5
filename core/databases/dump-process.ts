import { closeSync } from 'node:fs';
import { execa } from 'execa';
import { makePipe } from '../linux/pipes.ts';
import { type ChildEnd, type ChildWatch, type Command, childOptions, shortened, whyEnded } from './child.ts';

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

/** Starts a dump whose output is read from a pipe. The caller closes the descriptor when nobody reads from it any more. */
export function startDump(command: Command, watch: ChildWatch): DumpProcess {
  const pipe = makePipe();
  try {
    const stopping = new AbortController();
    const signal = AbortSignal.any([watch.signal, stopping.signal]);
    const options = childOptions(command, { ...watch, signal });
    // Its types know descriptors up to 9 only; the program takes any.
    const stdout = pipe.write as 9;
    const child = execa(command.program, command.args, { ...options, stdin: 'ignore', stdout, stderr: 'pipe' });
    let said = '';
    child.stderr?.on('data', (data: Buffer) => {
      if (said.length < KEPT) said += data.toString();
    });
    const ended = child.then((result): ChildEnd => {
      const stderr = shortened(said);
      return { failure: result.failed ? whyEnded(result, stderr) : undefined, stderr };
    });
    return { descriptor: pipe.read, ended, stop: () => stopping.abort() };
  } catch (error) {
    closeSync(pipe.read);
    throw error;
  } finally {
    // The child has its own by now; with this one open the stream would never end.
    closeSync(pipe.write);
  }
}
