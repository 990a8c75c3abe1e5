import fs, { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

const CORE = join(import.meta.dirname, '../../../core');
const KEY = 'functions of node:fs in the core';

/** What the core takes from node:fs, by its imports: the functions alone. */
function imported(): string[] {
  const names = new Set<string>();
  for (const file of globSync('**/*.ts', { cwd: CORE })) {
    const source = readFileSync(join(CORE, file), 'utf8');
    for (const [, list = ''] of source.matchAll(/import \{([^}]*)\} from 'node:fs'/g)) {
      for (const name of list.split(',')) names.add(name.trim());
    }
  }
  return [...names].filter((name) => typeof fs[name as keyof typeof fs] === 'function').sort();
}

const known = getEnvironmentData(KEY);

/** The functions of node:fs that the core calls; a process looks for them once, for all its threads. */
export const FILE_CALLS: readonly string[] = Array.isArray(known) ? (known as string[]) : imported();
setEnvironmentData(KEY, [...FILE_CALLS]);
