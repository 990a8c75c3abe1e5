import type { RandomAccess } from '../../manifest/read/random-access.ts';
import type { Backend, ObjectInfo, ObjectWriter, Occupation, WriteMode } from '../backends/backend.ts';
import { missingObject } from '../backends/object-failures.ts';
import { DELETIONS_FOLDER, HOLDS_FOLDER, SERVERS_FOLDER, UNITS_FOLDER } from '../layout.ts';
import type { ChangeCount } from './change-count.ts';
import type { ObjectCache } from './object-cache.ts';
import { ReadAhead } from './read-ahead.ts';
import { Survey } from './survey.ts';

/** What was listed counts for so long, in milliseconds: another machine may prune meanwhile. */
const COUNTS_FOR = 300_000;

/** Documents are longer than this only where a unit is very large: those are not kept. */
const LONGEST_KEPT = 256 * 1024;

/**
 * A distant place, of which is remembered what was listed and read: a unit in which nothing changed must not cost requests of its own. The first
 * question about a server has the beginning of its folder listed, the first one about a unit that of the unit's; whoever is going to ask about all
 * has all of it listed at once (`expectAll`). What this machine stores and removes is noted; when another process of it does, what was known is
 * forgotten.
 */
export class SurveyedBackend implements Backend {
  readonly description: string;
  readonly isDistant = true;
  readonly #backend: Backend;
  readonly #cache: ObjectCache | undefined;
  readonly #changes: ChangeCount;
  readonly #whole = new Set<string>();
  readonly #ahead = new ReadAhead((name, limit) => this.#readWhole(name, limit));
  #survey = new Survey();
  #taken = performance.now();
  #others: number | undefined;
  #listing = new Map<string, Promise<void>>();

  /** `cache` keeps documents; undefined: each is read from the place itself. */
  constructor(backend: Backend, changes: ChangeCount, cache: ObjectCache | undefined) {
    this.description = backend.description;
    this.#backend = backend;
    this.#changes = changes;
    this.#cache = cache;
    this.#others = changes.others;
  }

  get pageLength(): number | undefined {
    return this.#backend.pageLength;
  }

  /** Has all that is below a folder listed when the first question about it comes. */
  expectAll(folder: string): void {
    this.#whole.add(`${folder}/`);
  }

  /** What is known of the names that begin so, when it is all of them. */
  async #known(prefix: string, isName: boolean): Promise<Survey | undefined> {
    this.#forgetWhatIsOld();
    const [servers, server, units, unit] = prefix.split('/');
    if (servers !== SERVERS_FOLDER || server === undefined || server === '') return undefined;
    const isCovered = () => (isName ? this.#survey.coversName(prefix) : this.#survey.covers(prefix));
    const root = `${SERVERS_FOLDER}/${server}/`;
    await this.#look(root);
    if (!isCovered() && units === UNITS_FOLDER && unit !== undefined && unit !== '') await this.#look(`${root}${UNITS_FOLDER}/${unit}/`);
    return isCovered() ? this.#survey : undefined;
  }

  #forgetWhatIsOld(): void {
    const others = this.#changes.others;
    if (others !== undefined && others === this.#others && performance.now() - this.#taken < COUNTS_FOR) return;
    this.#forget();
    this.#others = others;
  }

  #forget(): void {
    this.#survey = new Survey();
    this.#listing = new Map();
    this.#taken = performance.now();
  }

  /** Lists what begins so, once; not where names come in no order, unless all of it is wanted. */
  async #look(root: string): Promise<void> {
    const survey = this.#survey;
    const isWhole = this.#whole.has(root);
    if (survey.hasListed(root, isWhole) || (!isWhole && this.#backend.pageLength === undefined)) return;
    const listing = this.#listing.get(root) ?? this.#list(root, isWhole ? undefined : this.#backend.pageLength, survey);
    this.#listing.set(root, listing);
    try {
      await listing;
    } finally {
      if (this.#listing.get(root) === listing) this.#listing.delete(root);
    }
  }

  async #list(root: string, most: number | undefined, survey: Survey): Promise<void> {
    const objects: ObjectInfo[] = [];
    let until: string | undefined;
    for await (const object of this.#backend.list(root)) {
      objects.push(object);
      if (objects.length !== most) continue;
      until = object.name;
      break;
    }
    // A store that keeps to no order told nothing about what lies between.
    const isOrdered = objects.every(({ name }, at) => at === 0 || (objects[at - 1] as ObjectInfo).name < name);
    survey.learn(root, objects, until === undefined || isOrdered ? until : '');
  }

  inspect(): Promise<Occupation> {
    return this.#backend.inspect();
  }

  prepare(): Promise<void> {
    return this.#backend.prepare();
  }

  async create(name: string, mode?: WriteMode): Promise<ObjectWriter> {
    const writer = await this.#backend.create(name, mode);
    let size = 0;
    let kept: Uint8Array[] | undefined = isKept(name) ? [] : undefined;
    return {
      write: async (chunk) => {
        size += chunk.length;
        kept = size <= LONGEST_KEPT ? kept : undefined;
        kept?.push(Buffer.from(chunk));
        await writer.write(chunk);
      },
      commit: async () => {
        await this.#change(() => writer.commit());
        this.#survey.add({ name, size, modified: Date.now() });
        if (kept !== undefined) this.#cache?.save(name, Buffer.concat(kept));
      },
      abort: () => writer.abort(),
    };
  }

  /** Does what changes the place. When it fails, nobody knows what is there. */
  async #change(action: () => Promise<void>): Promise<void> {
    this.#changes.add();
    try {
      await action();
    } catch (error) {
      this.#forget();
      throw error;
    } finally {
      this.#changes.add();
    }
  }

  async read(name: string, offset?: number, length?: number): Promise<Buffer> {
    try {
      return await this.#backend.read(name, offset, length);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  expectWhole(names: readonly string[], limit: number): void {
    this.#ahead.expect(names, limit);
  }

  async readWhole(name: string, limit: number): Promise<Buffer> {
    return (await this.#ahead.take(name)) ?? (await this.#readWhole(name, limit));
  }

  async #readWhole(name: string, limit: number): Promise<Buffer> {
    const cache = isKept(name) ? this.#cache : undefined;
    if (cache !== undefined) {
      const known = await this.#known(name, true);
      const object = known?.get(name);
      if (known !== undefined && object === undefined) throw missingObject(name);
      const bytes = object === undefined || object.size > limit ? undefined : cache.load(name, object.size);
      if (bytes !== undefined) return bytes;
    }
    try {
      const bytes = await this.#backend.readWhole(name, limit);
      cache?.save(name, bytes);
      return bytes;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  async size(name: string): Promise<number | undefined> {
    const known = await this.#known(name, true);
    return known === undefined ? this.#backend.size(name) : known.get(name)?.size;
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const known = await this.#known(prefix, false);
    // What is stored while somebody goes through it comes the next time.
    if (known === undefined) yield* this.#backend.list(prefix);
    else yield* [...known.list(prefix)];
  }

  async folders(folder: string): Promise<string[]> {
    const known = await this.#known(`${folder}/`, false);
    return known === undefined ? this.#backend.folders(folder) : known.folders(`${folder}/`);
  }

  async remove(name: string): Promise<void> {
    await this.#change(() => this.#backend.remove(name));
    this.#survey.remove(name);
    this.#cache?.forget(name);
  }

  discardAbandoned(before: number): Promise<number> {
    return this.#backend.discardAbandoned(before);
  }

  discardUnfinished(folder: string): Promise<number> {
    return this.#backend.discardUnfinished(folder);
  }

  get locks(): Backend['locks'] {
    return this.#backend.locks;
  }

  get tryWriting(): Backend['tryWriting'] {
    return this.#backend.tryWriting?.bind(this.#backend);
  }

  get space(): Backend['space'] {
    return this.#backend.space?.bind(this.#backend);
  }

  get removeFolder(): Backend['removeFolder'] {
    const backend = this.#backend;
    return backend.removeFolder === undefined ? undefined : (folder, before) => backend.removeFolder?.(folder, before) ?? Promise.resolve();
  }

  openDirectly(name: string, length: number, folder: string): RandomAccess {
    return this.#backend.openDirectly(name, length, folder);
  }
}

/** Whether an object of this name is a document that never changes; the name of a hold that ended can come again. */
function isKept(name: string): boolean {
  const [servers, , folder] = name.split('/');
  return servers === SERVERS_FOLDER && name.endsWith('.json') && folder !== HOLDS_FOLDER && folder !== DELETIONS_FOLDER;
}
