import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { type Fault, faultText } from './layer/fault.ts';
import { numberOf, type ThreadName } from './layer/points.ts';
import { callsIn, chooseFaults, EXTENT } from './points-of.ts';
import type { Attempt } from './scenario.ts';
import type { ScenarioName } from './scenarios.ts';

const LAYER = join(import.meta.dirname, 'layer/install.ts');
const DRIVER = join(import.meta.dirname, 'driver.ts');

/** An attempt that takes longer hangs: it takes a second, and on a busy machine ten. */
const LIMIT_MS = 180_000;

/** The process that carries out attempts. */
class Driver {
  readonly #process;
  readonly #lines: AsyncIterator<string>;
  #said = '';

  constructor(scenario: ScenarioName) {
    const args = ['--disable-warning=ExperimentalWarning', '--import', LAYER, DRIVER, scenario];
    this.#process = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stdin.on('error', () => {});
    this.#process.stderr.on('data', (text) => {
      this.#said = `${this.#said}${text}`.slice(-2000);
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** The answer to one request; undefined when the process has ended or hangs, and is ended then. */
  async ask<Answer>(request: Fault | null): Promise<Answer | undefined> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), LIMIT_MS);
    const line = await Promise.race([this.#lines.next(), late]);
    clearTimeout(timer);
    if (line === undefined) this.#process.kill('SIGKILL');
    return line === undefined || line.done === true ? undefined : (JSON.parse(line.value) as Answer);
  }

  /** How it ended: only after `ask` gave nothing. */
  get end(): string {
    const { killed, exitCode, signalCode } = this.#process;
    return killed ? 'it hangs' : `the process ended (${exitCode ?? signalCode}): ${this.#said}`;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin.end();
    await ended;
  }
}

/** What one fault led to. */
export interface Tried {
  readonly fault: Fault;
  readonly wasMet: boolean;
  /** In sentences. */
  readonly wrong: readonly string[];
}

/** How often each call comes for certain: the first time in a process some come that never come again. */
async function countOf(driver: Driver): Promise<number[]> {
  const first = await driver.ask<number[]>(null);
  const second = await driver.ask<number[]>(null);
  if (first === undefined || second === undefined) throw new Error(driver.end);
  return first.map((count, number) => Math.min(count, second[number] as number));
}

/** Chooses the faults to try, by how often each call came. */
export type Choice = (counts: readonly number[]) => readonly Fault[];

/**
 * Tries a scenario under the chosen faults, one after the other, or every `of`th from the `share`th on; returns how many calls could fail.
 */
export async function* tryFaults(scenario: ScenarioName, choose: Choice, share = 0, of = 1): AsyncGenerator<Tried, number> {
  let driver = new Driver(scenario);
  try {
    const counts = await countOf(driver);
    for (const [place, fault] of choose(counts).entries()) {
      if (place % of !== share) continue;
      const attempt = await driver.ask<Attempt>(fault);
      if (attempt === undefined) {
        yield { fault, wasMet: true, wrong: [`${faultText(fault)}: ${driver.end}`] };
        await driver.close();
        driver = new Driver(scenario);
      } else {
        const wrong = attempt.wrong.map((each) => `${faultText(fault)}, exit ${attempt.exitCode}: ${each}`);
        yield { fault, wasMet: attempt.hits > 0, wrong };
      }
    }
    return callsIn(counts);
  } finally {
    await driver.close();
  }
}

/** With every fault, one process for each core. */
const DRIVERS = process.env.SLOW === '1' ? availableParallelism() : 1;

/** The share of all faults that threads may have come to nothing. */
const MOST_UNMET = 0.1;

/** Priorities are given to each thread that there is, those of the library that calls without waiting among them. */
const OF_THREADS = new Set(['thread.postMessage', 'libc.syscall']);

function dependsOnThreads({ thread, call }: Fault): boolean {
  return thread !== 'main' || OF_THREADS.has(call);
}

/**
 * Tries a scenario under the chosen faults, says how many there were, and fails with everything that was wrong. `thread`: in these alone;
 * `most`: no more of them in the normal run.
 */
export function enumerate(scenario: ScenarioName, { thread, most }: { thread?: ThreadName; most?: number } = {}): Promise<void> {
  const within = Math.min(EXTENT.most, most === undefined || EXTENT.isOfEveryKind ? Number.POSITIVE_INFINITY : most);
  return expectPromisesKept(scenario, (counts) =>
    chooseFaults(counts, { ...EXTENT, most: within, ...(thread === undefined ? {} : { thread }) }),
  );
}

/** The same with these faults; a number of 0 stands for the last call of its name. */
export function tryThese(scenario: ScenarioName, faults: readonly Fault[]): Promise<void> {
  const nthOf = ({ thread, call, nth }: Fault, counts: readonly number[]) => (nth === 0 ? (counts[numberOf(thread, call)] as number) : nth);
  return expectPromisesKept(scenario, (counts) => faults.map((fault) => ({ ...fault, nth: nthOf(fault, counts) })));
}

async function expectPromisesKept(scenario: ScenarioName, choose: Choice): Promise<void> {
  const wrong: string[] = [];
  let tried = 0;
  /** Faults whose call did not come: how threads share their work is never the same, and what the main thread hears follows from it. */
  let unmet = 0;
  const hear = async (attempts: AsyncGenerator<Tried, number>): Promise<number> => {
    let next = await attempts.next();
    for (; next.done !== true; next = await attempts.next()) {
      const { fault, wasMet } = next.value;
      tried++;
      if (!wasMet && dependsOnThreads(fault)) unmet++;
      else if (!wasMet) wrong.push(`${faultText(fault)}: the call did not come, although it came each time that they were counted`);
      wrong.push(...next.value.wrong);
    }
    return next.value;
  };
  const shares = Array.from({ length: DRIVERS }, (_, share) => hear(tryFaults(scenario, choose, share, DRIVERS)));
  const [calls] = await Promise.all(shares);
  console.log(`        ${scenario}: ${calls} calls can fail; ${tried} faults tried, of ${unmet} the call did not come in time`);
  expect(wrong, 'broken promises').to.deep.equal([]);
  expect(unmet, 'faults whose call did not come').to.be.lessThanOrEqual(Math.ceil(tried * MOST_UNMET));
}
