import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ChildResult, childOptions, shortened, whyEnded } from '../databases/child.ts';
import { PROGRAM_FOLDERS } from '../databases/programs.ts';

/** The panel's home has either of two names. */
const HOMES = ['usr/local/apnscp', 'usr/local/apiscp'];
const SAID = 500;
const MOST_OUTPUT = 1024 ** 2;

/** How a program of this server is watched. */
export interface ProgramWatch {
  /** Milliseconds after which it is ended. */
  readonly timeLimit: number;
  readonly signal: AbortSignal;
}

/** The first of these programs that there is below the system's root; undefined when there is none. */
export function programIn(systemRoot: string, name: string): string | undefined {
  return PROGRAM_FOLDERS.map((folder) => join(systemRoot, folder, name)).find((path) => existsSync(path));
}

/** Runs a program with `input` on its stdin, and gives what it wrote. Throws an `Error` with what it said when it fails. */
export async function runProgram(program: string, args: readonly string[], input: string, watch: ProgramWatch): Promise<string> {
  const { execa } = await import('execa');
  const options = childOptions({ as: undefined }, watch);
  const ended = await execa(program, args, { ...options, input, buffer: true, maxBuffer: MOST_OUTPUT });
  if (ended.failed) throw new Error(whyEnded(ended as ChildResult, shortened(String(ended.stderr || ended.stdout)).slice(0, SAID)));
  return String(ended.stdout);
}

/** The panel's command line, as a program and its first arguments; undefined where there is no panel. */
function panelCommand(systemRoot: string): readonly [string, ...string[]] | undefined {
  const home = HOMES.map((each) => join(systemRoot, each)).find((each) => existsSync(join(each, 'bin/cmd')));
  const php = programIn(systemRoot, 'apnscp_php');
  return home === undefined || php === undefined ? undefined : [php, join(home, 'bin/cmd')];
}

/** Has the panel perform a command of its own, as the appliance's administrator. Throws an `Error`. */
export async function askPanel(systemRoot: string, command: string, args: readonly string[], watch: ProgramWatch): Promise<unknown> {
  const [program, ...first] = panelCommand(systemRoot) ?? [];
  if (program === undefined) throw new Error('no panel was found');
  const given = [...first, '-i', 'json', '-o', 'json', command, ...args.map((arg) => JSON.stringify(arg))];
  const answer = (await runProgram(program, given, '', watch)).trim();
  try {
    return JSON.parse(answer);
  } catch {
    return answer;
  }
}
