import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

/** One process to be measured, with all the children that it waits for. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** The file that it reads from its standard input; empty where there is none. */
  readonly input?: string;
  /** Exit codes besides 0 with which the work is done: warnings. */
  readonly alsoGood?: readonly number[];
}

export interface Measurement {
  readonly wallSeconds: number;
  /** User and system time together. */
  readonly processorSeconds: number;
  /** Of the largest process. */
  readonly peakBytes: number;
}

// user time, system time, largest resident set in KiB
const FORMAT = '%U %S %M';

/** Runs a command and takes its time from outside, its start included. Throws with the end of what it said when it fails. */
export async function measureOne(command: Command, workFolder: string): Promise<Measurement> {
  const { program, args, environment = {}, folder = workFolder, input = '/dev/null', alsoGood = [] } = command;
  const report = join(workFolder, 'time');
  rmSync(report, { force: true });
  // GNU time starts the process from a small one of its own: a child of Node would begin with Node's memory as its peak.
  const result = await execa('time', ['--output', report, '--format', FORMAT, program, ...args], {
    cwd: folder,
    env: environment,
    inputFile: input,
    stdout: 'ignore',
    reject: false,
  });
  if (result.exitCode !== 0 && !alsoGood.includes(result.exitCode ?? -1)) {
    throw new Error(`${program} ended with ${result.exitCode}: ${result.stderr.slice(-1000)}`);
  }
  // A line before it tells an exit code other than 0.
  const [user, system, kibibytes] = readFileSync(report, 'utf8').trimEnd().split('\n').at(-1)!.split(' ').map(Number);
  return { wallSeconds: result.durationMs / 1000, processorSeconds: user! + system!, peakBytes: kibibytes! * 1024 };
}

/** Runs commands one after the other, as one piece of work. */
export async function measure(commands: readonly Command[], workFolder: string): Promise<Measurement> {
  let total: Measurement = { wallSeconds: 0, processorSeconds: 0, peakBytes: 0 };
  for (const command of commands) {
    const one = await measureOne(command, workFolder);
    total = {
      wallSeconds: total.wallSeconds + one.wallSeconds,
      processorSeconds: total.processorSeconds + one.processorSeconds,
      peakBytes: Math.max(total.peakBytes, one.peakBytes),
    };
  }
  return total;
}
