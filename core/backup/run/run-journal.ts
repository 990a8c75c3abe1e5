import type { EndedUnit } from './ended-unit.ts';

/** What a run did before the process that worked on it ended by itself. */
export interface EarlierPart {
  /** The run's, whose record the part that follows writes. */
  readonly id: string;
  /** When the run began, RFC 3339 UTC. */
  readonly started: string;
  readonly ended: readonly EndedUnit[];
  /** Units one of which ended the process: they come last, each for itself, so that it is seen which one does. */
  readonly suspects: readonly string[];
  /** Whether enough is enough: what is left is not begun any more. */
  readonly isLast: boolean;
}

/** What a run tells on its way to whoever has to bring it to its end, should its process end before. */
export interface RunJournal {
  /** Undefined at the beginning. */
  readonly earlier: EarlierPart | undefined;
  begin(run: Pick<EarlierPart, 'id' | 'started'>): void;
  beginUnit(unit: string): void;
  endUnit(ended: EndedUnit): void;
}

/** Of a run that nobody watches. */
export const NO_JOURNAL: RunJournal = { earlier: undefined, begin: () => {}, beginUnit: () => {}, endUnit: () => {} };
