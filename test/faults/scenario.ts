import type { Fault } from './layer/fault.ts';
import { SharedState } from './layer/shared-state.ts';
import { livingThreads } from './layer/thread-faults.ts';
import type { Ended } from './server.ts';

/** What came of one attempt. */
export interface Attempt {
  /** How often the fault happened. */
  readonly hits: number;
  readonly exitCode: number;
  /** What is wrong, in sentences. */
  readonly wrong: readonly string[];
}

/** One operation that is tried under every fault, in a world of its own. */
export interface Scenario {
  /** Counts the calls of the operation without a fault, by their numbers. */
  count(): Promise<readonly number[]>;
  /** Carries it out under a fault and looks at everything afterwards. */
  attempt(fault: Fault): Promise<Attempt>;
  remove(): void | Promise<void>;
}

/** What may end in `internal`: no refusal of the system. */
const DEFECTS = new Set<Fault['action'] | undefined>(['defect', 'kill', 'drop']);

const state = SharedState.get();

/** Carries out an action under a fault; hears what nobody waited for, and threads that are still there afterwards. */
export async function underFault<Result>(
  fault: Fault | undefined,
  action: () => Promise<Ended<Result>>,
): Promise<{ ended: Ended<Result>; hits: number; counts: readonly number[]; wrong: string[] }> {
  const wrong: string[] = [];
  const hear = (error: unknown): void => {
    wrong.push(`nobody waited for: ${error instanceof Error ? error.stack : String(error)}`);
  };
  process.on('unhandledRejection', hear).on('uncaughtException', hear);
  state.arm(fault);
  try {
    const ended = await action();
    const { hits, counts } = state;
    state.disarm();
    // What is still under way would come to light now.
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (livingThreads() > 0) wrong.push(`${livingThreads()} threads are still there`);
    if (ended.error?.code === 'internal' && !DEFECTS.has(fault?.action)) {
      wrong.push(`a refused call became a defect: ${ended.error.message}`);
    }
    return { ended, hits, counts, wrong };
  } finally {
    state.disarm();
    process.off('unhandledRejection', hear).off('uncaughtException', hear);
  }
}
