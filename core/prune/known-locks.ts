import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import type { ObjectLock } from '../repository/backends/backend.ts';

const FILE = 'object-locks.json';

/** As it stands in the file: when the object was stored, until when it is locked, and whether nobody can end that. */
type Row = readonly [modified: number, until: number, isCompliance: 0 | 1];

/**
 * How the objects of a server are locked, kept in the state of the repository, so that each is asked for once. A lock can only become longer, so what is
 * known holds as long as the object is the same. Lost, everything is asked for again.
 */
export class KnownLocks {
  readonly #file: string;
  readonly #rows: Map<string, Row>;

  /** `stateFolder` is that of the repository. */
  constructor(stateFolder: string) {
    this.#file = join(stateFolder, FILE);
    this.#rows = read(this.#file);
  }

  get(name: string, modified: number): ObjectLock | undefined {
    const row = this.#rows.get(name);
    if (row === undefined || row[0] !== modified) return undefined;
    return { until: row[1], mode: row[2] === 1 ? 'compliance' : 'governance' };
  }

  set(name: string, modified: number, { until, mode }: ObjectLock): void {
    this.#rows.set(name, [modified, until, mode === 'compliance' ? 1 : 0]);
  }

  /** Forgets all others. Throws where it cannot be kept. */
  save(names: Iterable<string>): void {
    const kept = [...names].flatMap((name) => {
      const row = this.#rows.get(name);
      return row === undefined ? [] : [[name, row] as const];
    });
    replaceFile(this.#file, Buffer.from(`${JSON.stringify(Object.fromEntries(kept))}\n`));
  }
}

function read(file: string): Map<string, Row> {
  try {
    const rows = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>);
    return new Map(rows.filter((entry): entry is [string, Row] => isRow(entry[1])));
  } catch {
    return new Map();
  }
}

function isRow(row: unknown): boolean {
  return Array.isArray(row) && row.length === 3 && row.every((value) => Number.isSafeInteger(value));
}
