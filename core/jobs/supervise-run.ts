import { type EndedUnit, failed } from '../backup/run/ended-unit.ts';
import type { EarlierPart } from '../backup/run/run-journal.ts';
import type { Context } from '../context/context.ts';
import { Failure, type FailureCode } from '../failure.ts';
import type { WireError } from '../schemas/parts.ts';
import type { RunRequest, RunResult } from '../schemas/run.ts';
import { areDefectsShown } from '../schemas/wire-error.ts';
import type { Message } from './messages.ts';
import { type Death, workInProcess } from './process.ts';

/** So often the process of a run may end by itself; then it is not the units. */
const MOST_DEATHS = 20;

/**
 * `run` in a process of its own. When that ends by itself (its memory is full, a defect in native code, somebody's `kill -9`), the
 * unit that it worked on has failed with `unit_crashed`, and another process goes on behind it: one run, one answer, one record. Where
 * several were in hand and all of them can be backed up then, nothing is lost, and a warning is all. Throws what the run throws, and
 * `unit_crashed` when a process ends before it began anything. Undefined when the system gives no second process, or one with too few
 * threads to start: nothing is done then.
 */
export async function superviseRun(request: RunRequest, context: Context): Promise<RunResult | undefined> {
  const { settingsFile = null, databaseExport = null, signal, reporter } = context;
  let earlier: EarlierPart | null = null;
  for (let deaths = 0; ; deaths++) {
    const part = new Part(earlier, reporter);
    const job = { supervisor: process.pid, request, settingsFile, earlier, databaseExport, debug: areDefectsShown() };
    const death = await workInProcess(job, signal, (message) => part.hear(message)).catch((refused: unknown) => {
      if (deaths > 0) throw refused;
      return undefined;
    });
    if (death === undefined || (death.isLate && deaths === 0 && !signal.aborted)) return undefined;
    if (part.result !== undefined) return part.result;
    if (part.error !== undefined) throw asThrown(part.error);
    if (signal.aborted) throw new Failure('cancelled', 'the backup was stopped');
    earlier = part.whatIsDone(describe(death, part.defect), deaths + 1 >= MOST_DEATHS);
  }
}

/** What is known of what one process does. */
class Part {
  readonly #earlier: EarlierPart | null;
  readonly #reporter: Context['reporter'];
  readonly #ended: EndedUnit[];
  readonly #inHand = new Map<string, string>();
  #run: Pick<EarlierPart, 'id' | 'started'> | undefined;
  #hasBegun = false;
  result: RunResult | undefined;
  error: WireError | undefined;
  defect: string | undefined;

  constructor(earlier: EarlierPart | null, reporter: Context['reporter']) {
    this.#earlier = earlier;
    this.#reporter = reporter;
    this.#ended = [...(earlier?.ended ?? [])];
  }

  hear(message: Message): void {
    switch (message.type) {
      case 'ready':
        break;
      case 'progress':
        this.#reporter.progress(message.progress);
        break;
      case 'log':
        this.#reporter.log(message.line);
        break;
      case 'begin':
        this.#run = message.run;
        break;
      case 'beginUnit':
        this.#hasBegun = true;
        this.#inHand.set(message.unit, message.time);
        break;
      case 'endUnit':
        this.#inHand.delete(message.ended.outcome.unit);
        this.#ended.push(message.ended);
        break;
      case 'defect':
        this.defect = message.message;
        break;
      case 'result':
        this.result = message.result;
        break;
      case 'error':
        this.error = message.error;
        break;
    }
  }

  /**
   * What the next process has to know after the death of this one. Of several units in hand one is to blame: they come again, each
   * alone.
   */
  whatIsDone(cause: string, isLast: boolean): EarlierPart {
    const inHand = [...this.#inHand];
    const message = `${WHOSE[Math.min(inHand.length, 2)]} ended: ${cause}`;
    const crashed = new Failure('unit_crashed', message, {
      affected: inHand.map(([name]) => name),
      advice: 'See in the system’s log what ended it. If memory ran out, raise the limits of the service or set fewer workers.',
      retry: true,
    });
    if (this.#run === undefined || !this.#hasBegun) throw new Failure('unit_crashed', `${WHOSE[0]} ended: ${cause}`);
    this.#reporter.log({ level: 'warning', code: crashed.code, message: `${message}; the backup goes on`, affected: crashed.affected });
    const isKnown = inHand.length === 1;
    const lost = isKnown ? inHand.map(([name, time]) => failed({ name }, crashed, time)) : [];
    const suspects = [...(this.#earlier?.suspects ?? []), ...(isKnown ? [] : inHand.map(([name]) => name))];
    return { ...this.#run, ended: [...this.#ended, ...lost], suspects, isLast };
  }
}

/** The process, by how many units it had in hand. */
const WHOSE = ['the process of the backup', 'the process that backed up this unit', 'the process that backed up these units'] as const;

/** Words for the ways in which a process ends. */
const SIGNALS: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: 'it was killed, as the system does when memory runs out',
  SIGABRT: 'it gave up, as it does when its memory is full',
  SIGTRAP: 'it gave up, as it does when its memory is full',
};

function describe({ signal, exitCode }: Death, defect: string | undefined): string {
  if (signal !== null) return `${SIGNALS[signal] ?? 'it crashed'} (${signal})`;
  return defect ?? `exit code ${exitCode}`;
}

function asThrown({ code, message, affected, advice, retry }: WireError): Failure {
  return new Failure(code as FailureCode, message, { affected, ...(advice === null ? {} : { advice }), retry });
}
