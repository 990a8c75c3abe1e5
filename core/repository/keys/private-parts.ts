import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';
import { NOTES_FOLDER, SERVERS_FOLDER, UNITS_FOLDER } from '../layout.ts';

const SUFFIX = '.private.json';

/** The file of a snapshot's private part in the folder of its unit, below the state's `units`. */
export function privatePartOf(snapshot: string): string {
  return `${snapshot}${SUFFIX}`;
}

/** The same of `unit.json`. */
export const PRIVATE_UNIT = `unit${SUFFIX}`;

/**
 * What is sealed in `unit.json`, in notes and in the records that the next backup builds on, in clear in the state directory: a server that only writes goes on from
 * it. Every copy is bound to the sealed bytes; a lost or damaged one is as if there were none.
 */
export class PrivateParts {
  readonly #stateFolder: string;
  readonly #isKept: boolean;

  /** Nothing is kept unless `isKept`: commands that only read write nothing. */
  constructor(stateFolder: string, isKept: boolean) {
    this.#stateFolder = stateFolder;
    this.#isKept = isKept;
  }

  #fileOf(name: string): string | undefined {
    const [servers, , kind, unit, folder, file = folder] = name.split('/');
    if (servers !== SERVERS_FOLDER || !name.endsWith('.json')) return undefined;
    const fileIn = (place: string, object: string) => join(this.#stateFolder, place, `${object.slice(0, -'.json'.length)}${SUFFIX}`);
    if (kind === NOTES_FOLDER && unit !== undefined) return fileIn(NOTES_FOLDER, unit);
    return kind === UNITS_FOLDER && file !== undefined ? fileIn(join(UNITS_FOLDER, unit as string), file) : undefined;
  }

  load(name: string, sealed: string): Record<string, unknown> | undefined {
    const file = this.#fileOf(name);
    if (file === undefined) return undefined;
    try {
      const { of, members } = JSON.parse(readFileSync(file, 'utf8')) as { of?: unknown; members?: unknown };
      const isOf = of === digestOf(name, sealed) && typeof members === 'object' && members !== null;
      return isOf ? (members as Record<string, unknown>) : undefined;
    } catch {
      return undefined;
    }
  }

  /** What cannot be kept is revealed anew, or the next backup is a full: neither is a reason to fail. */
  save(name: string, sealed: string, members: object): void {
    const file = this.#fileOf(name);
    if (file === undefined || !this.#isKept) return;
    try {
      replaceFile(file, Buffer.from(`${JSON.stringify({ of: digestOf(name, sealed), members })}\n`));
    } catch {
      // As if there were none.
    }
  }
}

function digestOf(name: string, sealed: string): string {
  return createHash('sha256').update(`${name}\n${sealed}`).digest('hex');
}
