import type { ByteString } from '../manifest/entry.ts';
import { type ExcludeMatcher, excludeAny, excludePaths } from './exclude-matcher.ts';
import { ExcludePatterns } from './exclude-patterns.ts';

/** What a backup excludes, as data that can be sent to another thread. */
export interface ExcludeRules {
  /** Virtual paths that are always excluded. */
  readonly paths: readonly ByteString[];
  /** Patterns of the settings (`ExcludePatterns`). */
  readonly patterns: readonly ByteString[];
}

/** The rules as a walk asks them. Throws `invalid_settings` for a pattern that cannot be understood. */
export function excludeMatcherOf({ paths, patterns }: ExcludeRules): ExcludeMatcher {
  return excludeAny([excludePaths(paths), new ExcludePatterns(patterns)]);
}
