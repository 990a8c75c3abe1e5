import { Session } from 'node:inspector';

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** Which blocks of the program an input made run, and about how often, as V8 counts them. */
export class Coverage {
  readonly #session = new Session();
  readonly #known = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  #post(method: string, parameters: object = {}): { result?: readonly ScriptCoverage[] } {
    let answer: object = {};
    // The answer comes before the call returns: the session is in this thread.
    this.#session.post(method, parameters, (error, result) => {
      if (error !== null) throw error;
      answer = result ?? {};
    });
    return answer;
  }

  /** What ran since it was last asked and never did before `learn`. */
  take(): string[] {
    const found: string[] = [];
    for (const { url, functions } of this.#post('Profiler.takePreciseCoverage').result ?? []) {
      if (!url.includes('/core/')) continue;
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges) {
          if (count === 0) continue;
          const block = `${url} ${startOffset} ${endOffset} ${Math.floor(Math.log2(count) / 3)}`;
          if (!this.#known.has(block)) found.push(block);
        }
    }
    return found;
  }

  learn(blocks: Iterable<string>): void {
    for (const block of blocks) this.#known.add(block);
  }

  /** How much is known. */
  get size(): number {
    return this.#known.size;
  }
}
