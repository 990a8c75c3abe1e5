import { openSync } from 'node:fs';
import { FileBytes } from '../../linux/file-bytes.ts';
import type { StatBuffer } from '../../linux/stat.ts';
import type { DeviceNumbers } from '../../manifest/device-numbers.ts';
import type { ByteString, Entry, Extent } from '../../manifest/entry.ts';
import { type ExpectedManifest, ManifestReader } from '../../manifest/read/manifest-reader.ts';
import type { RandomAccess } from '../../manifest/read/random-access.ts';
import { ContentIndex } from './content-index.ts';

/** A local, verified copy of a manifest and its content index, by name so that every thread can open them. */
export interface IndexedManifest {
  readonly manifest: string;
  readonly index: string;
  readonly expected: ExpectedManifest;
}

/**
 * What the repository holds for a unit, as far as the manifests of its chain tell. Each thread opens its own. Only a help: where
 * the copies or their indexes are cut or damaged, what would have been found is stored once more.
 */
export class UnitContents {
  readonly #sources: RandomAccess[] = [];
  #indexes: ContentIndex[] = [];

  /** `chain` the oldest first; a manifest without a good index is passed over. `devices` says which numbers devices have now. */
  static open(chain: readonly IndexedManifest[], devices?: DeviceNumbers): UnitContents {
    const contents = new UnitContents();
    try {
      contents.#open(chain, devices);
    } catch {
      contents.close();
    }
    return contents;
  }

  private constructor() {}

  #open(chain: readonly IndexedManifest[], devices: DeviceNumbers | undefined): void {
    for (const { manifest } of chain) this.#sources.push(new FileBytes(openSync(manifest, 'r'), manifest));
    const readers = ManifestReader.openAll(
      chain.map(({ expected }, number) => ({ source: this.#sources[number] as RandomAccess, expect: expected })),
      { devices },
    );
    chain.forEach(({ index }, number) => {
      const opened = ContentIndex.open(index, readers[number] as ManifestReader);
      // The newest state of a file is the likeliest.
      if (opened !== undefined) this.#indexes.unshift(opened);
    });
  }

  /** Where `length` bytes with this SHA-256 lie; undefined when they have to be stored. */
  find(digest: Buffer, length: number): Extent | undefined {
    return this.#ask((index) => index.findContent(digest, length));
  }

  /** The file that has this inode and is unchanged in everything but its name, as an entry under its new `path`. */
  findMoved(path: ByteString, stat: StatBuffer): Entry | undefined {
    if (!stat.isFile || stat.size === 0) return undefined;
    const entry = this.#ask((index) => index.findFile(stat.words));
    return entry === undefined ? undefined : { ...entry, path };
  }

  /** The answer of the first index that has one. An index that cannot be read is not asked again. */
  #ask<Found>(question: (index: ContentIndex) => Found | undefined): Found | undefined {
    for (const index of this.#indexes) {
      try {
        const found = question(index);
        if (found !== undefined) return found;
      } catch {
        this.#indexes = this.#indexes.filter((other) => other !== index);
        index.close();
      }
    }
    return undefined;
  }

  close(): void {
    for (const index of this.#indexes.splice(0)) index.close();
    for (const source of this.#sources.splice(0)) source.close();
  }
}
