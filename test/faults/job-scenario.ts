import { rmSync } from 'node:fs';
import { METHODS } from '../../core/commands/registry.ts';
import type { Context } from '../../core/context/context.ts';
import { openContext } from '../../core/context/open-context.ts';
import { Failure } from '../../core/failure.ts';
import { carryOut } from '../../core/jobs/carry-out.ts';
import { cancel, job, jobs, log } from '../../core/jobs/job-commands.ts';
import { waitForTurn } from '../../core/jobs/queue.ts';
import { readRecord } from '../../core/jobs/record/job-record.ts';
import { jobsFolder, recordFolder } from '../../core/jobs/record/places.ts';
import { HeldTicket, liveTickets } from '../../core/jobs/record/ticket.ts';
import { recorded } from '../../core/jobs/recorded.ts';
import { startJob } from '../../core/jobs/start-job.ts';
import type { JobView } from '../../core/schemas/jobs.ts';
import { toWireError } from '../../core/schemas/wire-error.ts';
import { SmallWorld, UNIT } from '../crashes/small-world.ts';
import type { Fault } from './layer/fault.ts';
import { type Attempt, type Scenario, underFault } from './scenario.ts';
import type { Ended, Server } from './server.ts';

/** Stands in for the system's starter of units: it starts nothing, and this process does the work of the job. */
const STARTER = '/bin/true';
const REQUEST = { method: 'verify', request: { unit: UNIT, quick: true } } as const;

/** What is known of the jobs of a turn. */
interface Turn {
  /** The one that was given to the queue; undefined: it was refused. */
  readonly queued: string | undefined;
  /** Whether its work was done and came out well. */
  readonly isDone: boolean;
  /** Whether that of the one in front of whoever asked did. */
  readonly isShown: boolean;
}

/**
 * A job that is asked for, waits, works and is looked at; and one in front of whoever asks. Whatever fails at their records: what is asked
 * for is done or refused, no job is said to have gone well that did not, and none keeps the next from its turn.
 */
export class JobScenario implements Scenario {
  readonly #world = new SmallWorld();
  readonly #server: Server;
  readonly #said: string[] = [];

  private constructor() {
    this.#server = this.#world.template;
  }

  static async prepare(): Promise<JobScenario> {
    const scenario = new JobScenario();
    await scenario.#world.prepare('init', {});
    await scenario.#world.prepare('run', { units: [UNIT], level: 'full' });
    return scenario;
  }

  #context(): Context {
    const reporter = { progress: () => {}, log: ({ code }: { code: string }) => void this.#said.push(code) };
    return openContext(this.#server.settingsFile, reporter, new AbortController().signal);
  }

  #forget(): void {
    this.#said.length = 0;
    rmSync(jobsFolder(this.#server.state), { recursive: true, force: true });
  }

  async count(): Promise<readonly number[]> {
    this.#forget();
    const { ended, counts } = await underFault(undefined, () => this.#turn());
    const wrong = (await this.#views()).flatMap(({ state }) => (state === 'ok' ? [] : [state]));
    if (ended.exitCode !== 0 || wrong.length > 0) throw new Error(`without a fault: ${ended.error?.message ?? wrong}`);
    return counts;
  }

  async attempt(fault: Fault): Promise<Attempt> {
    this.#forget();
    const { ended, hits, wrong } = await underFault(fault, () => this.#turn());
    wrong.push(...(await this.#wrongJobs(ended)));
    const before = (await this.#views()).length;
    const next = await this.#turn();
    if (next.exitCode !== 0) wrong.push(`the next ones: ${next.error?.message ?? JSON.stringify(next.result)}`);
    const views = await this.#views();
    const [inFront, queued] = views;
    if (views.length !== before + 2 || inFront?.state !== 'ok' || queued?.state !== 'ok')
      wrong.push(`the next ones are seen as ${views.slice(0, 2).map(({ state }) => state)}`);
    const alive = liveTickets(this.#server.state).filter(({ isHeld }) => isHeld);
    if (alive.length > 0) wrong.push(`${alive.length} tickets are held for nobody`);
    return { hits, exitCode: ended.exitCode, wrong };
  }

  async #views(): Promise<readonly JobView[]> {
    return (await jobs({}, this.#context())).jobs;
  }

  async #turn(): Promise<Ended<Turn>> {
    const context = this.#context();
    let error: unknown;
    const trying = async <T>(action: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await action();
      } catch (thrown) {
        error ??= thrown;
        return undefined;
      }
    };
    const started = await trying(() => startJob(REQUEST, context, METHODS, STARTER));
    const isDone = started !== undefined && (await trying(() => this.#perform(started.job, context))) === true;
    if (started !== undefined)
      for (const look of [job, log, cancel]) await trying(() => look({ job: started.job }, context) as Promise<unknown>);
    const method = recorded(METHODS).get('verify');
    const shown = await trying(async () => (await method?.perform(REQUEST.request, context)) as { readonly status: string });
    const result = { queued: started?.job, isDone, isShown: shown?.status === 'ok' };
    return { exitCode: error === undefined ? 0 : 1, result, error: error === undefined ? undefined : toWireError(error) };
  }

  /** As the process of a job does. */
  async #perform(id: string, context: Context): Promise<boolean> {
    const folder = recordFolder(this.#server.state, id);
    const record = readRecord(folder);
    const ticket = await HeldTicket.take(this.#server.state, id);
    if (record === undefined || ticket === undefined) throw new Failure('io_error', 'it is not there');
    const stateDirectory = this.#server.state;
    const result = (await carryOut({ record, folder, ticket }, context, async (watched, begin, onWait) => {
      await waitForTurn(ticket, { stateDirectory, signal: watched.signal, onWait });
      begin();
      return await METHODS.get(record.method)?.perform(record.request, watched);
    })) as { readonly status: string };
    return result.status === 'ok';
  }

  /** What jobs are said to be, and are not. */
  async #wrongJobs({ result }: Ended<Turn>): Promise<string[]> {
    const views = await this.#views();
    const isRecorded = !this.#said.includes('state_unusable');
    return views.flatMap(({ job: id, state, error }) => {
      if (id !== result?.queued) {
        if (state !== 'ok' && result?.isShown === true && isRecorded)
          return [`the one that was done in front is ${state}: ${error?.message}`];
        return state === 'ok' && result?.isShown !== true ? ['the one in front is ok, and failed'] : [];
      }
      if (state === 'ok' && !result.isDone) return ['the job is ok, and its work failed'];
      return state !== 'ok' && result.isDone && isRecorded ? [`the job is ${state}: ${error?.message}, and its work was done`] : [];
    });
  }

  remove(): void {
    this.#world.remove();
  }
}
