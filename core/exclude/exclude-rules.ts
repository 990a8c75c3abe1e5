import type { ByteString } from '../manifest/entry.ts';
import { type Exclusion, excludeAny, excludePaths } from './exclude-matcher.ts';
import { ExcludePatterns } from './exclude-patterns.ts';

/** What a backup leaves out, as data that can be sent to another thread. */
export interface LeftOutRules {
  /** Virtual paths that are always left out. */
  readonly paths: readonly ByteString[];
  /** Patterns of the settings (`ExcludePatterns`). */
  readonly patterns: readonly ByteString[];
}

/** The rules as a walk asks them. Throws `invalid_settings` for a pattern that cannot be understood. */
export function exclusionOf({ paths, patterns }: LeftOutRules): Exclusion {
  return excludeAny([excludePaths(paths), new ExcludePatterns(patterns)]);
}
