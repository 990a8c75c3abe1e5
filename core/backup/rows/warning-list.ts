import type { ByteString } from '../../manifest/entry.ts';
import { toWirePath } from '../../manifest/wire-path.ts';
import type { Warning } from '../../repository/record.ts';
import { WARNING_BYTES, WARNING_LIMIT } from '../../scan/limits.ts';

/** A root that lies elsewhere than in the last snapshot, where a link leads. */
export const ROOT_MOVED = 'root_moved';

/** A location of the server that the last snapshot has and that is not there. */
export const ROOT_VANISHED = 'root_vanished';

/** What whoever did it on purpose is told once: the snapshot is complete, and the run is partial all the same. */
export const TOLD_ONCE: ReadonlySet<string> = new Set([ROOT_MOVED, ROOT_VANISHED]);

/** Problems that do not make a snapshot incomplete: the entry is gone for good, or was found elsewhere. */
const NOTES: ReadonlySet<string> = new Set(['vanished', ...TOLD_ONCE]);

/** What went wrong with single entries: the first ones in full, the others counted. */
export class WarningList {
  readonly list: Warning[] = [];
  count = 0;
  #left = WARNING_BYTES;
  /** Whether something is missing from the snapshot or may be wrong in it. */
  isIncomplete = false;

  add(path: ByteString, code: string, message: string): void {
    this.count++;
    if (!NOTES.has(code)) this.isIncomplete = true;
    if (this.list.length >= WARNING_LIMIT || this.#left <= 0) return;
    const warning = { code, message, ...toWirePath(path) };
    this.#left -= Buffer.byteLength(JSON.stringify(warning));
    if (this.#left > 0) this.list.push(warning);
  }
}
