import { closeSync, openSync, readSync } from 'node:fs';
import { FileBytes } from '../../linux/file-bytes.ts';
import { writeAll } from '../../linux/write-all.ts';
import type { ManifestRow } from '../../manifest/entry.ts';
import { ManifestReader } from '../../manifest/read/manifest-reader.ts';
import { type FinishedManifest, ManifestWriter } from '../../manifest/write/manifest-writer.ts';
import type { ObjectWriter } from '../../repository/backends/backend.ts';
import type { RowTarget } from './snapshot-output.ts';

const PART = 1024 * 1024;

/** A manifest that is being written to a local file, from which it goes to the repository when it is complete. */
export class ManifestOutput implements RowTarget {
  readonly file: string;
  readonly #descriptor: number;
  readonly #writer: ManifestWriter;
  #rows = 0;

  /** `file` must not exist. */
  constructor(file: string) {
    this.file = file;
    this.#descriptor = openSync(file, 'wx+', 0o600);
    this.#writer = new ManifestWriter((chunk) => writeAll(this.#descriptor, chunk));
  }

  get rows(): number {
    return this.#rows;
  }

  add(row: ManifestRow): void {
    this.#writer.add(row);
    this.#rows++;
  }

  finish(): FinishedManifest {
    return this.#writer.finish();
  }

  /** Reads what was finished; good until `close`. */
  reader(): ManifestReader {
    return ManifestReader.open(new FileBytes(this.#descriptor, this.file));
  }

  /** Copies what was written to `target`, which the caller commits. */
  async copyTo(target: Pick<ObjectWriter, 'write'>): Promise<void> {
    for (let at = 0; ; ) {
      const part = Buffer.allocUnsafe(PART);
      const length = readSync(this.#descriptor, part, 0, PART, at);
      if (length === 0) return;
      await target.write(part.subarray(0, length));
      at += length;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
