import { join } from 'node:path';
import { execa } from 'execa';

export const ROOT = join(import.meta.dirname, '..');

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** The program as a user starts it, run from source. Never throws for an exit code. */
export async function runProgram(args: readonly string[], options: { readonly input?: string } = {}): Promise<Ended> {
  const { stdout, stderr, exitCode } = await execa(process.execPath, [join(ROOT, 'core/main.ts'), ...args], {
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
