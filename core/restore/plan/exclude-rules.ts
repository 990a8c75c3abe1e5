import { ExcludePatterns } from '../../exclude/exclude-patterns.ts';
import type { ExcludeRules } from '../../exclude/exclude-rules.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { isWithin } from '../../manifest/path-order.ts';

/** What the backup excludes, and what it excluded when the snapshot was made, as data that can be sent to another thread. */
export interface ExcludeData {
  readonly now: ExcludeRules;
  /** Undefined where the snapshot's record does not say. */
  readonly earlier: ExcludeRules | undefined;
}

/** One set of rules. */
class Rules {
  readonly #paths: readonly ByteString[];
  readonly #patterns: ExcludePatterns;

  constructor({ paths, patterns }: ExcludeRules) {
    this.#paths = paths;
    this.#patterns = new ExcludePatterns(patterns);
  }

  /** Whether the path, or a directory above it, is excluded. */
  has(path: ByteString, isDirectory: boolean): boolean {
    return this.#paths.some((kept) => isWithin(path, kept)) || !this.#patterns.explain(path, isDirectory).included;
  }
}

/**
 * Tells what a restore never removes: what the backup excludes now, which no snapshot would bring back, and what it excluded
 * then, of which this snapshot says nothing.
 */
export class Excluded {
  readonly #now: Rules;
  readonly #earlier: Rules | undefined;

  constructor({ now, earlier }: ExcludeData) {
    this.#now = new Rules(now);
    this.#earlier = earlier === undefined ? undefined : new Rules(earlier);
  }

  has(path: ByteString, isDirectory: boolean): boolean {
    return this.#now.has(path, isDirectory) || this.#earlier?.has(path, isDirectory) === true;
  }

  /** Whether the backup would have it by the rules of now, so that somebody may wonder why it stays. */
  isOnlyThen(path: ByteString, isDirectory: boolean): boolean {
    return !this.#now.has(path, isDirectory) && this.#earlier?.has(path, isDirectory) === true;
  }
}
