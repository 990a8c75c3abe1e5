import { openSync } from 'node:fs';
import { Failure } from '../../failure.ts';
import { closeDescriptor } from '../../linux/files.ts';
import { O_DIRECTORY, O_RDONLY } from '../../linux/flags.ts';
import { freeSpace } from '../../linux/space.ts';

/** What has to stay free where a server writes: MariaDB dies of a long value, and PostgreSQL of its log, for which there is no room. */
const LEFT_FREE = 64 * 1024 * 1024;
/** How many bytes a statement can make the server write for each of its own: the row, an index, and the log of both. */
const WRITTEN_PER_BYTE = 4;
/** Bytes of a dump after which one looks again. */
const ASK_AFTER = 4 * 1024 * 1024;

/** Watches that a load leaves the file systems of a database server some room, so that it ends before the server has none. */
export class LoadRoom {
  readonly #folders: readonly number[];
  #loaded = ASK_AFTER;

  /** @param folders in which the server writes; those that are not on this machine are not watched */
  constructor(folders: readonly string[]) {
    this.#folders = folders.flatMap(opened);
  }

  /**
   * Called before a piece of a dump is loaded.
   *
   * @throws Failure `disk_full`
   */
  require(bytes: number): void {
    this.#loaded += bytes;
    if (this.#loaded < ASK_AFTER) return;
    this.#loaded = 0;
    const needed = LEFT_FREE + WRITTEN_PER_BYTE * bytes;
    for (const folder of this.#folders) {
      const free = freeSpace(folder).bytes;
      if (free >= needed) continue;
      throw new Failure(
        'disk_full',
        `the database server has ${mebibytes(free)} MiB of room left; ${mebibytes(needed)} MiB have to stay free`,
        {
          retry: true,
          advice: 'A restored database stands beside the live one until it takes its place: make room for it.',
        },
      );
    }
  }

  close(): void {
    for (const folder of this.#folders) closeDescriptor(folder);
  }
}

function opened(folder: string): number[] {
  try {
    return [openSync(folder, O_RDONLY | O_DIRECTORY)];
  } catch {
    return [];
  }
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024);
}
