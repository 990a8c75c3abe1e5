import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';
import { Failure } from '../../failure.ts';

/** What every plan says: without it nothing can be undone. */
interface PlanHead {
  readonly id: string;
  readonly live: string;
  readonly shadow: string;
  readonly oldTables: readonly string[];
  readonly newTables: readonly string[];
  readonly oldCode: readonly object[];
}

/**
 * What has to be known to put a database back as it was when the exchange of it by the restored one was broken off: kept on disk
 * from before the first change to the live one until the last.
 */
export class SwapJournal<Plan extends PlanHead> {
  readonly #folder: string;

  /** @param folder of the state directory; only root can read or write there */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The plans of exchanges that were broken off. Throws `database_left` for one that cannot be read: nobody knows what it would undo. */
  pending(): Plan[] {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const files = readdirSync(this.#folder).filter((file) => file.endsWith('.json'));
    return files.flatMap((file) => this.#read(join(this.#folder, file)));
  }

  #read(file: string): Plan[] {
    let plan: unknown;
    try {
      plan = JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      // A restore of another unit has come to its end meanwhile.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      if (!(error instanceof SyntaxError)) throw error;
    }
    if (isPlan(plan)) return [plan as Plan];
    throw new Failure('database_left', `${file} tells how a restore of a database that was broken off is undone, and is damaged`, {
      affected: [file],
      advice: 'Look at the databases of the server: those named apiscp_backup_… are of that restore. Remove the file to go on.',
    });
  }

  begin(id: string, plan: Plan): void {
    replaceFile(this.#file(id), Buffer.from(JSON.stringify(plan)));
  }

  end(id: string): void {
    rmSync(this.#file(id), { force: true });
  }

  #file(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}

function isPlan(value: unknown): value is PlanHead {
  if (typeof value !== 'object' || value === null) return false;
  const { id, live, shadow, oldTables, newTables, oldCode } = value as Partial<PlanHead>;
  const names = [id, live, shadow, ...[oldTables, newTables].flatMap((list) => (Array.isArray(list) ? list : [undefined]))];
  return (
    names.every((name) => typeof name === 'string') &&
    Array.isArray(oldCode) &&
    oldCode.every((code) => typeof code === 'object' && code !== null)
  );
}
