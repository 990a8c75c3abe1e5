import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';

/**
 * What has to be known to put a database back as it was when the exchange of it by the restored one was broken off: kept on disk
 * from before the first change to the live one until the last.
 */
export class SwapJournal<Plan> {
  readonly #folder: string;

  /** @param folder of the state directory; only root can read or write there */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The plans of exchanges that were broken off. */
  pending(): Plan[] {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const files = readdirSync(this.#folder).filter((file) => file.endsWith('.json'));
    return files.map((file) => JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as Plan);
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
