import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Backend } from '../../core/repository/backends/backend.ts';
import { ChangeCount } from '../../core/repository/known/change-count.ts';
import { isDiscardingDue } from '../../core/repository/known/discarding.ts';
import { ObjectCache } from '../../core/repository/known/object-cache.ts';
import { SurveyedBackend } from '../../core/repository/known/surveyed-backend.ts';
import { toWireError } from '../../core/schemas/wire-error.ts';
import { OrderedBackend } from '../repository/known/ordered-backend.ts';
import type { Fault } from './layer/fault.ts';
import { type Attempt, type Scenario, underFault } from './scenario.ts';
import type { Ended } from './server.ts';

const SERVER = 'servers/s1';
const DOCUMENTS = ['a', 'runs/r1', 'runs/r2'].map((name) => `${SERVER}/${name}.json`);
const [FIRST = '', SECOND = ''] = DOCUMENTS;
const NEW = `${SERVER}/runs/r3.json`;
const LIMIT = 1000;

/**
 * What a machine remembers of a distant place, in files that it can do without: whatever fails there, everything that is asked of the place,
 * and done to it, comes out as without them.
 */
export class KnownPlaceScenario implements Scenario {
  readonly #folder = mkdtempSync(join(tmpdir(), 'known-'));
  #rightAnswer: unknown;
  #turns = 0;

  static async prepare(): Promise<KnownPlaceScenario> {
    return new KnownPlaceScenario();
  }

  async count(): Promise<readonly number[]> {
    const { ended, counts } = await underFault(undefined, () => use(this.#state(), new OrderedBackend()));
    if (ended.error !== undefined) throw new Error(`without a fault it failed: ${ended.error.message}`);
    this.#rightAnswer = ended.result;
    return counts;
  }

  #state(): string {
    const state = join(this.#folder, `${++this.#turns}`);
    mkdirSync(state);
    return state;
  }

  async attempt(fault: Fault): Promise<Attempt> {
    const [state, place] = [this.#state(), new OrderedBackend()];
    const { ended, hits, wrong } = await underFault(fault, () => use(state, place));
    if (ended.error !== undefined) wrong.push(`it failed: ${ended.error.message}`);
    else if (!isDeepStrictEqual(ended.result, this.#rightAnswer)) wrong.push(`another answer: ${JSON.stringify(ended.result)}`);
    const [later, right] = [await answersOf(open(state, place)), await answersOf(place)];
    if (!isDeepStrictEqual(later, right)) wrong.push(`the next process: ${JSON.stringify(later)}`);
    return { hits, exitCode: ended.exitCode, wrong };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function open(state: string, place: Backend): SurveyedBackend {
  return new SurveyedBackend(place, new ChangeCount(state), new ObjectCache(join(state, 'cache')));
}

/** Stores, reads, exchanges for others of the same length, and removes; gives all answers. */
async function use(state: string, place: Backend): Promise<Ended<readonly unknown[]>> {
  try {
    isDiscardingDue(state);
    const backend = open(state, place);
    for (const name of DOCUMENTS) await store(backend, name, `the first text of ${name}`);
    const before = await answersOf(backend);
    await store(backend, FIRST, `the other text of ${FIRST}`);
    await store(backend, NEW, 'new');
    await backend.remove(SECOND);
    const answers = [before, await answersOf(backend), await answersOf(open(state, place))];
    return { exitCode: 0, result: answers, error: undefined };
  } catch (thrown) {
    return { exitCode: 1, result: undefined, error: toWireError(thrown) };
  }
}

async function store(backend: Backend, name: string, text: string): Promise<void> {
  const writer = await backend.create(name, 'replacing');
  await writer.write(Buffer.from(text));
  await writer.commit();
}

/** All that can be asked: what there is, and what stands in it, twice. */
async function answersOf(backend: Backend): Promise<unknown> {
  const names: string[] = [];
  for await (const { name } of backend.list(`${SERVER}/`)) names.push(name);
  const read = (name: string) => backend.readWhole(name, LIMIT).then(String, (error: { code?: string }) => String(error.code));
  const texts: string[] = [];
  for (const name of [...DOCUMENTS, NEW, ...DOCUMENTS]) texts.push(await read(name));
  return { names, texts, sizes: await Promise.all(DOCUMENTS.map((name) => backend.size(name))) };
}
