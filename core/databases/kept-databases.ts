import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { ENGINES, type Engine } from './engine.ts';

/** A database that is nobody's but for somebody who wants to look back: what a restore has replaced. */
export interface KeptDatabase {
  readonly engine: Engine;
  readonly name: string;
  readonly unit: string;
  /** RFC 3339 UTC. */
  readonly at: string;
}

/** In milliseconds: one that the server does not show yet may have been made since it was asked. */
const MAY_BE_NEW = 10 * 60_000;

/**
 * Databases that restores have replaced, as noted in the state directory when it was done. A name alone tells nothing: an account may call a
 * database of its own so. Where a note is lost, the database counts as any other.
 */
export class KeptDatabases {
  readonly #folder: string;

  constructor(stateDirectory: string) {
    this.#folder = join(stateDirectory, 'kept-databases');
  }

  note(kept: KeptDatabase): void {
    replaceFile(this.#file(kept), Buffer.from(JSON.stringify(kept)));
  }

  forget(kept: Pick<KeptDatabase, 'engine' | 'name'>): void {
    rmSync(this.#file(kept), { force: true });
  }

  /** All that are noted; by name. */
  all(): KeptDatabase[] {
    const found = namesIn(this.#folder).flatMap((file) => read(join(this.#folder, file)) ?? []);
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The names of those that a server has; a note of one that is gone goes as well. */
  among(engine: Engine, present: ReadonlySet<string>, now: number): Set<string> {
    const noted = this.all().filter((kept) => kept.engine === engine);
    for (const kept of noted) if (!present.has(kept.name) && now - Date.parse(kept.at) > MAY_BE_NEW) this.forget(kept);
    return new Set(noted.map(({ name }) => name).filter((name) => present.has(name)));
  }

  #file({ engine, name }: Pick<KeptDatabase, 'engine' | 'name'>): string {
    return join(this.#folder, `${createHash('sha256').update(`${engine}/${name}`).digest('hex')}.json`);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.json'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined for a note that is none, or that went meanwhile. */
function read(file: string): KeptDatabase | undefined {
  try {
    const { engine, name, unit, at } = JSON.parse(readFileSync(file, 'utf8')) as Partial<KeptDatabase>;
    const isNote = ENGINES.includes(engine as Engine) && [name, unit, at].every((each) => typeof each === 'string');
    return isNote ? ({ engine, name, unit, at } as KeptDatabase) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
