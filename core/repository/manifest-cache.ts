import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { FileBytes } from '../linux/file-bytes.ts';
import { errorCode } from '../linux/system-error.ts';
import { namedDamage } from '../manifest/format/damage.ts';
import { type RandomAccess, withSpare } from '../manifest/read/random-access.ts';
import { fetchToFile } from './fetch.ts';
import { PRIVATE_UNIT, privatePartOf } from './keys/private-parts.ts';
import { serverFolder } from './layout.ts';
import { plainManifest, type SnapshotRecord } from './record.ts';
import type { Repository } from './repository.ts';

const PART = 4 * 1024 * 1024;
const SUFFIX = '.mf.zst';
const INDEX_SUFFIX = '.index';
const TEMPORARY = '.tmp';

/**
 * Local copies of the manifests that the next backup of a unit compares with. A copy is compared with the record's digest
 * each time it is opened, so a lost, old or damaged one only costs fetching it again.
 */
export class ManifestCache {
  readonly #repository: Repository;

  /** Keeps the copies in the state directory, which must have been prepared. */
  constructor(repository: Repository) {
    this.#repository = repository;
  }

  #folder(unit: string): string {
    return join(this.#repository.stateFolder, 'units', unit);
  }

  /** The whole, verified manifest of a snapshot; the caller closes it. Throws `repository_damaged` when there is none. */
  async open(record: SnapshotRecord): Promise<RandomAccess> {
    return this.#openCopy(record) ?? (await this.#fetch(record));
  }

  #openCopy(record: SnapshotRecord): RandomAccess | undefined {
    let access: FileBytes;
    try {
      access = new FileBytes(openSync(this.pathOf(record), 'r'), record.manifest.path);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    const { length, sha256 } = plainManifest(record.manifest);
    if (access.size === length && digestOf(access) === sha256) return access;
    access.close();
    return undefined;
  }

  /**
   * The manifest as the repository has it, with the copy, if there is one, for what is damaged there; or the copy alone. Once it was needed
   * that is told. Of a distant repository a sound copy is enough. The caller closes it. Throws `repository_damaged` when there is neither.
   */
  async openForReading(record: SnapshotRecord): Promise<RandomAccess> {
    const sound = this.#repository.backend.isDistant === true ? this.#openCopy(record) : undefined;
    if (sound !== undefined) return sound;
    const copy = this.#possibleCopy(record);
    const used = once((failure: Failure) => {
      const message = `${failure.message}; the copy in the state directory is used for what is damaged`;
      this.#repository.notify({ level: 'warning', code: failure.code, message, affected: failure.affected });
    });
    try {
      const access = await this.#repository.openManifest(record);
      return copy === undefined ? access : withSpare(access, { access: copy, used });
    } catch (error) {
      const failure = namedDamage(error, record.manifest.path);
      if (copy === undefined) throw failure;
      used(failure);
      return copy;
    }
  }

  /** What is in it is compared when it is read. */
  #possibleCopy(record: SnapshotRecord): RandomAccess | undefined {
    try {
      const copy = new FileBytes(openSync(this.pathOf(record), 'r'), record.manifest.path);
      if (copy.size === plainManifest(record.manifest).length) return copy;
      copy.close();
    } catch {
      // Without it the repository has to do.
    }
    return undefined;
  }

  async #fetch(record: SnapshotRecord): Promise<RandomAccess> {
    const { path, length } = record.manifest;
    const content = await this.#repository.openContent(path, length);
    const temporary = this.temporaryFile(record.unit);
    const name = `${serverFolder(this.#repository.server)}/${path}`;
    if ((await fetchToFile(content.read, content.length, temporary)) !== plainManifest(record.manifest).sha256) {
      rmSync(temporary);
      throw new Failure('repository_damaged', `${name} is not what was stored`, { affected: [name] });
    }
    this.#repository.notify({
      level: 'warning',
      code: 'manifest_fetched',
      message: `the state directory had no good copy of the manifest of ${record.id}; it was fetched from the repository`,
      affected: [record.id],
    });
    const file = this.pathOf(record);
    renameSync(temporary, file);
    return new FileBytes(openSync(file, 'r'), path);
  }

  /** Where the copy of a snapshot's manifest is, or would be. */
  pathOf(record: Pick<SnapshotRecord, 'unit' | 'id'>): string {
    return join(this.#folder(record.unit), `${record.id}${SUFFIX}`);
  }

  /** Where a help for looking contents up in that copy is kept beside it. */
  indexPathOf(record: Pick<SnapshotRecord, 'unit' | 'id'>): string {
    return `${this.pathOf(record)}${INDEX_SUFFIX}`;
  }

  /** A name for a new file of a unit, on the same file system as the copies. */
  temporaryFile(unit: string): string {
    const folder = this.#folder(unit);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return join(folder, `${randomBytes(12).toString('hex')}${TEMPORARY}`);
  }

  /** Drops what a killed run left unfinished. To be called by whoever alone works on the unit. */
  discardUnfinished(unit: string): void {
    const folder = this.#folder(unit);
    if (!existsSync(folder)) return;
    for (const file of readdirSync(folder)) if (file.endsWith(TEMPORARY)) rmSync(join(folder, file), { force: true });
  }

  /** Drops the copies of a unit but those of the given snapshots, and what a killed run left behind. */
  retain(unit: string, snapshots: readonly string[]): void {
    const kept = new Set([
      PRIVATE_UNIT,
      ...snapshots.flatMap((id) => [`${id}${SUFFIX}`, `${id}${SUFFIX}${INDEX_SUFFIX}`, privatePartOf(id)]),
    ]);
    const folder = this.#folder(unit);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const file of readdirSync(folder)) {
      if (!kept.has(file)) rmSync(join(folder, file), { recursive: true });
    }
  }
}

/** The same, and nothing when it is called again. */
function once(action: (failure: Failure) => void): (failure: Failure) => void {
  let isDone = false;
  return (failure) => {
    if (!isDone) action(failure);
    isDone = true;
  };
}

function digestOf(access: RandomAccess): string {
  const hash = createHash('sha256');
  for (let at = 0; at < access.size; at += PART) hash.update(access.read(at, Math.min(PART, access.size - at)));
  return hash.digest('hex');
}
