import type { ByteString } from '../manifest/entry.ts';
import { lastComponent, parentPath } from '../manifest/paths.ts';

/** What a backup excludes. Asked once for each directory, so that the many entries of most directories cost nothing. */
export interface ExcludeMatcher {
  /** Tells of a name in the directory `path` whether it is excluded; undefined when nothing in that directory can be. */
  inDirectory(path: ByteString): ((name: ByteString, isDirectory: boolean) => boolean) | undefined;
}

/** Leaves out the given paths and what is below them. */
export function excludePaths(paths: readonly ByteString[]): ExcludeMatcher {
  const byDirectory = new Map<ByteString, Set<ByteString>>();
  for (const path of paths) {
    const directory = parentPath(path);
    const names = byDirectory.get(directory) ?? new Set();
    byDirectory.set(directory, names.add(lastComponent(path)));
  }
  return {
    inDirectory(path) {
      const names = byDirectory.get(path);
      return names === undefined ? undefined : (name) => names.has(name);
    },
  };
}

/** Excludes what any of the given ones excludes. */
export function excludeAny(exclusions: readonly ExcludeMatcher[]): ExcludeMatcher {
  return {
    inDirectory(path) {
      const tests = exclusions.map((exclude) => exclude.inDirectory(path)).filter((test) => test !== undefined);
      if (tests.length <= 1) return tests[0];
      return (name, isDirectory) => tests.some((test) => test(name, isDirectory));
    },
  };
}
