import { join } from 'node:path';
import { execa, type Options, type Result } from 'execa';

export const ROOT = join(import.meta.dirname, '..');

/** The program as a user starts it, run from source. Never throws for an exit code. */
export async function runProgram(args: readonly string[], options: Options = {}): Promise<Result> {
  return execa(process.execPath, [join(ROOT, 'core/main.ts'), ...args], { reject: false, stripFinalNewline: false, ...options });
}

/** The JSON values of a text of whole lines; fails when anything else is in it. */
export function jsonLines(text: unknown): Record<string, unknown>[] {
  const lines = String(text).split('\n');
  if (lines.pop() !== '') throw new Error(`the last line has no end: ${text}`);
  return lines.map((line) => JSON.parse(line));
}
