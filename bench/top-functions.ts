/** Prints, for each profile of V8 that is named, the functions in which the time was spent: `node bench/top-functions.ts FILE...` */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** What V8's `--cpu-prof` writes; times in microseconds. */
export interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The functions of a profile with the milliseconds that each spent itself, without those that it called; the longest first. */
export function selfTimes({ nodes, samples, timeDeltas }: Profile): { name: string; milliseconds: number }[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]));
  const times = new Map<string, number>();
  for (const [index, sample] of samples.entries()) {
    const name = names.get(sample)!;
    times.set(name, (times.get(name) ?? 0) + timeDeltas[index]! / 1000);
  }
  return [...times].map(([name, milliseconds]) => ({ name, milliseconds })).sort((a, b) => b.milliseconds - a.milliseconds);
}

function describe({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.startsWith('file:') ? relative(process.cwd(), fileURLToPath(url)) : url;
  return `${name} ${file}:${lineNumber + 1}`;
}

const SHOWN = 25;

if (import.meta.main) {
  for (const file of process.argv.slice(2)) {
    const functions = selfTimes(JSON.parse(readFileSync(file, 'utf8')) as Profile);
    const whole = functions.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    process.stdout.write(`${file}: ${whole.toFixed(0)} ms\n`);
    for (const { name, milliseconds } of functions.slice(0, SHOWN)) {
      process.stdout.write(
        `${milliseconds.toFixed(0).padStart(8)} ms ${((100 * milliseconds) / whole).toFixed(1).padStart(5)} %  ${name}\n`,
      );
    }
  }
}
