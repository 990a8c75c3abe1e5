import { appendFileSync, closeSync, fsyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { asFailure, Failure } from '../failure.ts';
import type { ManifestReference } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';

const FILE = 'sent.jsonl';

/** Lines that say nothing any more are worth writing the file anew when there are more. */
const SPARE_LINES = 1000;

/** An object of a copy, as it is stored there: as records name it, or, of a document, its length and digest alone. */
export type SentObject = Pick<ManifestReference, 'path' | 'length' | 'sha256' | 'keys' | 'content'> &
  Partial<Pick<ManifestReference, 'index'>>;

/**
 * What was sent to a copy, in the state directory: an object that is encrypted once more has other bytes, so nobody can tell by the source what it is there.
 * Lost, it is found out again by the records of the copy. Of two lines for one path the later counts; a damaged one is as if there were none.
 */
export class SentObjects {
  readonly #file: string;
  readonly #target: Repository;
  /** What is in the target, with its length. */
  readonly #listed: ReadonlyMap<string, number>;
  readonly #sent = new Map<string, SentObject>();
  #isUnusable = false;
  /** The file says of something what does not hold any more, unless the disk has its last lines. */
  #isUnsettled = false;

  /** `listed` is kept up to date by whoever stores or removes something. */
  constructor(target: Repository, listed: ReadonlyMap<string, number>) {
    this.#file = join(target.stateFolder, FILE);
    this.#target = target;
    this.#listed = listed;
    const { lines, isWhole } = readLines(this.#file);
    for (const line of lines) this.#take(line);
    if (!isWhole || lines.length > this.#sent.size + SPARE_LINES) this.#writeAnew();
  }

  #take(line: string): void {
    const object = parse(line);
    if (object === undefined) return;
    if ('gone' in object) this.#sent.delete(object.path);
    else this.#sent.set(object.path, object);
  }

  /** As it was sent, if it is there in that length. */
  get(path: string): SentObject | undefined {
    const sent = this.#sent.get(path);
    return sent !== undefined && this.#listed.get(path) === sent.length ? sent : undefined;
  }

  /** As it was sent, whatever is there now. */
  everSent(path: string): SentObject | undefined {
    return this.#sent.get(path);
  }

  /** The paths of all that was sent, whether it is there or not. */
  get paths(): Iterable<string> {
    return this.#sent.keys();
  }

  /** To be called before an object comes to be, or when it was found there: one that never came to be is not listed. */
  add(object: SentObject): void {
    this.#sent.set(object.path, object);
    this.#append(object);
  }

  /** To be called, and `settle` behind it, before something else takes its place. Throws `io_error`. */
  forget(path: string): void {
    if (!this.#sent.delete(path)) return;
    this.#isUnsettled = true;
    if (!this.#append({ path, gone: true })) this.#discard();
  }

  /**
   * Nothing that was forgotten is remembered again, even when the power fails: what takes its place is as long, so nobody would notice. Throws
   * `io_error`.
   */
  settle(): void {
    if (!this.#isUnsettled) return;
    if (!this.#try(() => withFile(this.#file, fsyncSync))) this.#discard();
    this.#isUnsettled = false;
  }

  #append(line: object): boolean {
    return this.#try(() => appendFileSync(this.#file, `${JSON.stringify(line)}\n`, { mode: 0o600 }));
  }

  #writeAnew(): void {
    this.#try(() => replaceFile(this.#file, Buffer.from([...this.#sent.values()].map((each) => `${JSON.stringify(each)}\n`).join(''))));
  }

  /** What is better lost than wrong. A full disk has room for that. */
  #discard(): void {
    try {
      withFile(this.#file, (descriptor) => {
        ftruncateSync(descriptor);
        fsyncSync(descriptor);
      });
    } catch (error) {
      if (readLines(this.#file).lines.length === 0) return;
      const message = `what was sent before cannot be forgotten, and would be taken for what is sent now: ${asFailure(error).message}`;
      throw new Failure('io_error', message, { affected: [this.#file] });
    }
  }

  /** What is not kept is found out again. Gives whether it was done. */
  #try(action: () => void): boolean {
    if (this.#isUnusable) return false;
    try {
      action();
      return true;
    } catch (error) {
      this.#isUnusable = true;
      const message = `what was sent cannot be remembered, and some of it may be sent again: ${asFailure(error).message}`;
      this.#target.notify({ level: 'warning', code: 'state_unusable', message, affected: [this.#file] });
      return false;
    }
  }
}

function withFile(file: string, action: (descriptor: number) => void): void {
  const descriptor = openSync(file, 'r+');
  try {
    action(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** `isWhole`: another line can be put behind. */
function readLines(file: string): { readonly lines: readonly string[]; readonly isWhole: boolean } {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    // Of a line that was cut nothing is taken.
    const rest = lines.pop();
    return { lines, isWhole: rest === '' };
  } catch {
    return { lines: [], isWhole: false };
  }
}

function parse(line: string): SentObject | { readonly path: string; readonly gone: true } | undefined {
  try {
    const value = JSON.parse(line) as Partial<SentObject> & { readonly gone?: unknown };
    const { path, length, sha256 } = value;
    if (typeof path !== 'string') return undefined;
    if (value.gone === true) return { path, gone: true };
    return Number.isSafeInteger(length) && /^[0-9a-f]{64}$/.test(sha256 ?? '') ? (value as SentObject) : undefined;
  } catch {
    return undefined;
  }
}
