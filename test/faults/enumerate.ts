import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { type Fault, faultText } from './layer/fault.ts';
import type { ThreadName } from './layer/points.ts';
import { callsIn, chooseFaults, EXTENT, type Extent } from './points-of.ts';
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

/** Tries a scenario under the chosen faults, one after the other; returns how many calls could fail. */
export async function* tryFaults(scenario: ScenarioName, extent: Extent): AsyncGenerator<Tried, number> {
  let driver = new Driver(scenario);
  try {
    const counts = await driver.ask<number[]>(null);
    if (counts === undefined) throw new Error(driver.end);
    for (const fault of chooseFaults(counts, extent)) {
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

/** Tries a scenario under the chosen faults, says how many there were, and fails with everything that was wrong. `thread`: in these alone. */
export async function enumerate(scenario: ScenarioName, thread?: ThreadName): Promise<void> {
  const wrong: string[] = [];
  let tried = 0;
  let met = 0;
  const attempts = tryFaults(scenario, { ...EXTENT, ...(thread === undefined ? {} : { thread }) });
  let next = await attempts.next();
  for (; next.done !== true; next = await attempts.next()) {
    tried++;
    if (next.value.wasMet) met++;
    wrong.push(...next.value.wrong);
  }
  console.log(`        ${scenario}: ${next.value} calls can fail; ${tried} faults tried, ${met} met`);
  expect(wrong, 'broken promises').to.deep.equal([]);
  expect(met, 'faults that were met').to.be.greaterThan(tried / 2);
}
