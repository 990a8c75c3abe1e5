import type { ByteString } from '../manifest/entry.ts';
import { ExcludePatterns } from '../manifest/exclude-patterns.ts';
import type { LeftOutRules } from '../manifest/left-out-rules.ts';
import { isWithin } from '../manifest/path-order.ts';

/** Tells what the backup leaves out: no snapshot would bring it back, so a restore never removes it. */
export class LeftOut {
  readonly #paths: readonly ByteString[];
  readonly #patterns: ExcludePatterns;

  constructor({ paths, patterns }: LeftOutRules) {
    this.#paths = paths;
    this.#patterns = new ExcludePatterns(patterns);
  }

  /** Whether the path, or a directory above it, is left out. */
  has(path: ByteString, isDirectory: boolean): boolean {
    return this.#paths.some((kept) => isWithin(path, kept)) || !this.#patterns.explain(path, isDirectory).included;
  }
}

export const NOTHING_LEFT_OUT = new LeftOut({ paths: [], patterns: [] });
