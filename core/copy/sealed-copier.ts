import { Failure } from '../failure.ts';
import { eachOf } from '../repository/each-of.ts';
import { DELETIONS_FOLDER, KEYS_FOLDER, recoveryFolder, runPath, sealedPath, snapshotPath, UNITS_FOLDER } from '../repository/layout.ts';
import type { ObjectReference, SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { LogLink } from '../repository/run-record.ts';
import { isDamage } from './copied.ts';
import { AT_ONCE, type Copier, type CopyWork, lengths } from './copier.ts';
import { findAgain } from './find-again.ts';
import { digestOfOwn, remade } from './remade-documents.ts';
import { sealManifest, sealPack } from './seal-objects.ts';
import { sealedRecord } from './sealed-record.ts';
import { SealedStore } from './sealed-store.ts';
import type { SentObject } from './sent-objects.ts';

/**
 * Brings objects to a copy that is a repository of its own, encrypted for recipients of its own: contents are the same, stored bytes are others. Nothing
 * is read there but documents, and these only where the state directory does not know them.
 */
export class SealedCopier implements Copier {
  readonly speaksForItself = true;
  /** Each names the digest of the one before. */
  readonly runsAtOnce = 1;
  readonly source: Repository;
  readonly target: Repository;
  readonly inSource: ReadonlyMap<string, number>;
  readonly #store: SealedStore;
  readonly #work: CopyWork;
  /** Units of which something else is there than was sent, or is gone. */
  readonly #disturbed: Set<string>;

  private constructor(source: Repository, inSource: Map<string, number>, store: SealedStore, work: CopyWork) {
    this.source = source;
    this.target = store.target;
    this.inSource = inSource;
    this.#store = store;
    this.#work = work;
    this.#disturbed = disturbedUnits(store);
  }

  static async open(source: Repository, target: Repository, work: CopyWork): Promise<SealedCopier> {
    return new SealedCopier(source, await lengths(source), new SealedStore(target, await lengths(target), work), work);
  }

  get inTarget(): Iterable<string> {
    return this.#store.listed.keys();
  }

  async beginUnit(unit: string): Promise<void> {
    if (this.#disturbed.delete(unit)) await findAgain(unit, this.#store);
  }

  has(path: string): boolean {
    const there = pathThere(path);
    return there === undefined || this.#store.sent.get(there) !== undefined;
  }

  linkThere(link: LogLink): LogLink {
    return { ...link, sha256: this.#digestThere(runPath(link.id)) ?? link.sha256 };
  }

  readonly #digestThere = (path: string): string | undefined => this.#store.sent.get(path)?.sha256;

  async document(path: string): Promise<void> {
    if (this.has(path) || (await this.#isFoundThere(path))) return;
    const bytes = await this.#remade(path);
    if (bytes !== undefined) await this.#store.document(path, bytes);
  }

  /** Undefined when it was deleted since the source was listed. */
  async #remade(path: string): Promise<Buffer | undefined> {
    try {
      return await remade(path, this, this.#digestThere);
    } catch (error) {
      if (isDamage(error) && (await this.source.objectSize(path)) === undefined) return undefined;
      throw error;
    }
  }

  /** A document that this machine does not remember to have stored: it takes what is its own. */
  async #isFoundThere(path: string): Promise<boolean> {
    const { listed, sent } = this.#store;
    const length = listed.get(path);
    if (length === undefined || sent.everSent(path) !== undefined) return false;
    try {
      sent.add({ path, length, sha256: await digestOfOwn(path, this.target) });
      return true;
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#work.copied.problem(error);
      return false;
    }
  }

  async snapshot(record: SnapshotRecord): Promise<void> {
    const path = snapshotPath(record.unit, record.id);
    if (this.has(path)) return;
    const { source, target } = this;
    const proceed = () => this.#store.checkCancelled();
    await source.keys.requireReadable([record.manifest, ...record.packs]);
    const whole = await source.revealed(record);
    await eachOf(record.packs, AT_ONCE, async (pack) => {
      if (this.has(pack.path)) return;
      await this.#store.object(pathIn(pack), async (output) => {
        await sealPack(source, pack, output, proceed);
        return {};
      });
    });
    const { manifest } = record;
    if (!this.has(manifest.path)) await this.#store.object(pathIn(manifest), (output) => sealManifest(source, manifest, output, proceed));
    await this.#store.document(path, await sealedRecord(whole, record.sealed !== undefined, target, this.#sentAs, this.#digestThere));
  }

  readonly #sentAs = (object: ObjectReference): SentObject => {
    const sent = this.#store.sent.get(pathIn(object));
    if (sent !== undefined) return sent;
    throw new Failure('internal', `${object.path} was not copied before what names it`, { affected: [object.path] });
  };

  async remove(path: string): Promise<void> {
    await this.#store.remove(path);
  }
}

/** The path in the copy of what the source has; undefined: it is not copied. The copy has keys of its own, and says itself what was deleted. */
function pathThere(path: string): string | undefined {
  const [first, unit = ''] = path.split('/');
  if (first === KEYS_FOLDER || first === DELETIONS_FOLDER) return undefined;
  // It is over the bytes as they are stored.
  if (first === UNITS_FOLDER && path.startsWith(`${recoveryFolder(unit)}/`)) return undefined;
  return sealedPath(path) ?? path;
}

function pathIn({ path }: ObjectReference): string {
  return sealedPath(path) ?? path;
}

/** The units of which something is there and was not sent like that, or was sent and is not there. Of what else is gone nothing is known any more. */
function disturbedUnits({ listed, sent }: SealedStore): Set<string> {
  const units = new Set<string>();
  for (const path of new Set([...listed.keys(), ...sent.paths])) {
    if (sent.get(path) !== undefined) continue;
    const [first, unit] = path.split('/');
    if (first === UNITS_FOLDER && unit !== undefined) units.add(unit);
    else if (!listed.has(path)) sent.forget(path);
  }
  return units;
}
