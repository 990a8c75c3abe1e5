import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type Target, verdictOf } from '../target.ts';
import { TARGETS } from '../targets.ts';
import { Coverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { SharedInput } from './shared-input.ts';

/** A target and the files of its corpus. */
export interface Job {
  readonly target: string;
  readonly files: readonly string[];
}

/** What a worker is started with. */
export interface Order {
  readonly jobs: readonly Job[];
  readonly memory: SharedArrayBuffer;
  /** How long new inputs are tried at each target, in seconds; 0: those of the corpus alone. */
  readonly seconds: number;
  readonly seed: number;
}

/** What it says. */
export type Message =
  | { readonly type: 'crash'; readonly target: string; readonly verdict: string; readonly input: Uint8Array }
  | { readonly type: 'kept'; readonly input: Uint8Array }
  | { readonly type: 'end'; readonly rounds: number; readonly coverage: number };

/** Inputs between two looks at the coverage, which takes longer than most of them. */
const BATCH = 40;

const { jobs, memory, seconds, seed } = workerData as Order;
const say = (message: Message): void => parentPort?.postMessage(message);
const shared = new SharedInput(memory);
const verdicts = new Set<string>();

async function attempt(target: Target, input: Buffer): Promise<boolean> {
  shared.begin(input);
  const verdict = await verdictOf(target, input);
  if (verdict === undefined) return true;
  // One of a kind is enough: the same message from the same place.
  const kind = verdict.replaceAll(/\d+/g, '').split('\n').slice(0, 3).join();
  if (!verdicts.has(kind)) say({ type: 'crash', target: target.name, verdict, input });
  verdicts.add(kind);
  return false;
}

async function search(target: Target, corpus: Buffer[]): Promise<number> {
  const coverage = new Coverage();
  const random = new Random(seed);
  for (const input of corpus) await attempt(target, input);
  coverage.learn(coverage.take());
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const batch: Buffer[] = [];
    // What was found last leads on.
    const pick = (): Buffer =>
      corpus[random.below(2) === 0 ? Math.max(0, corpus.length - 1 - random.below(20)) : random.below(corpus.length)]!;
    for (let count = 0; count < BATCH; count++) {
      const input = mutate(pick(), { random, other: pick(), words: target.words ?? [] });
      if (await attempt(target, input)) batch.push(input);
    }
    const fresh = new Set(coverage.take());
    if (fresh.size === 0) continue;
    for (const input of batch) {
      await attempt(target, input);
      const own = coverage.take().filter((block) => fresh.delete(block));
      if (own.length === 0) continue;
      coverage.learn(own);
      corpus.push(input);
      say({ type: 'kept', input });
    }
    // What does not happen again leads nowhere.
    coverage.learn(fresh);
  }
  return coverage.size;
}

let coverage = 0;
for (const { target: name, files } of jobs) {
  const target = TARGETS.find((each) => each.name === name);
  if (target === undefined) throw new Error(`no target ${name}`);
  const corpus = files.map((file) => readFileSync(file));
  if (seconds > 0) coverage = await search(target, corpus.length === 0 ? [Buffer.alloc(0)] : corpus);
  else for (const input of corpus) await attempt(target, input);
}
say({ type: 'end', rounds: shared.round, coverage });
