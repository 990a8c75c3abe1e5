import { Failure, type FailureCode } from '../../core/failure.ts';

/** A parser under attack. */
export interface Target {
  /** Its folder in `corpus`. */
  readonly name: string;
  /** Parses the input, and uses what came out of it as the program would. Throws a `Failure` for what it refuses. */
  readonly run: (input: Buffer) => Promise<void> | void;
  /** The codes of failures by which it may refuse an input. */
  readonly refuses: readonly FailureCode[];
  /** Inputs made of real objects, from which `make-seeds.ts` fills the corpus. */
  readonly seeds: () => Promise<readonly Buffer[]> | readonly Buffer[];
  /** Texts that mean something to it. */
  readonly words?: readonly string[];
}

/** What is wrong with how a target took an input; undefined when it was accepted, or refused with a code of its own. */
export async function verdictOf({ run, refuses }: Target, input: Buffer): Promise<string | undefined> {
  try {
    await run(input);
    return undefined;
  } catch (error) {
    if (error instanceof Failure && refuses.includes(error.code)) return undefined;
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
