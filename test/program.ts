import { join } from 'node:path';
import { execa } from 'execa';

export const ROOT = join(import.meta.dirname, '..');

/** What Node runs as the program: the bundle that was made for the tests; where there is none, the source. */
export const MAIN = process.env.BUILT_PROGRAM ?? join(ROOT, 'core/main.ts');

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** The program as a user starts it. Never throws for an exit code. */
export async function runProgram(args: readonly string[], options: { readonly input?: string } = {}): Promise<Ended> {
  const { stdout, stderr, exitCode } = await execa(process.execPath, [MAIN, ...args], {
    reject: false,
    stripFinalNewline: false,
    ...options,
  });
  return { stdout, stderr, exitCode };
}

/** The JSON values of a text of whole lines; fails when anything else is in it. */
export function jsonLines(text: string): Record<string, unknown>[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error(`the last line has no end: ${text}`);
  return lines.map((line) => JSON.parse(line));
}
