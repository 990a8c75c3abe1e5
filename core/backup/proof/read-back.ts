import { setImmediate as otherEvents } from 'node:timers/promises';
import { asFailure, Failure } from '../../failure.ts';
import { mergedEntries } from '../../manifest/merge/merged-entries.ts';
import { ManifestReader } from '../../manifest/read/manifest-reader.ts';
import { SideTables } from '../../manifest/read/side-tables.ts';
import { type ManifestReference, type ObjectReference, plainManifest } from '../../repository/record.ts';
import { type ExtentReference, ExtentTable } from '../../verify/extent-table.ts';
import { checkPack } from '../../verify/pack-check.ts';
import type { ReadingWatch } from '../../verify/watch.ts';
import type { RunTools } from '../run/run-tools.ts';

/** How many extents are held at once, at 64 bytes each. A pack with more than this is read back alone. */
const EXTENTS_AT_ONCE = 1 << 20;

/** What is wrong with a pack is told in so many items. */
const PROBLEMS_TOLD = 3;

const ROWS_PER_STEP = 4096;

/**
 * Reads a snapshot's new objects again, from the disk where that can be asked, and compares them with what is about to be recorded:
 * the manifest and each pack with their SHA-256, each frame, the tar archives, and the SHA-256 of every content that the manifest
 * has in these packs. Throws `repository_damaged` with the object and what it was found by.
 */
export class ReadBack implements ReadingWatch {
  readonly #reader: ManifestReader;
  readonly #tools: Pick<RunTools, 'repository' | 'control'>;
  /** Counted for whoever reads a pack. */
  bytesRead = 0;

  /** `reader` reads the manifest as it was written, from the local file. */
  constructor(reader: ManifestReader, tools: Pick<RunTools, 'repository' | 'control'>) {
    this.#reader = reader;
    this.#tools = tools;
  }

  async check(manifest: ManifestReference, packs: readonly ObjectReference[]): Promise<void> {
    await this.#checkManifest(manifest);
    for (const group of this.#groups(packs)) await this.#checkGroup(group);
  }

  /** To be called every few megabytes, see `checkPack`: lets the run pause, others work, and ends when the run does. */
  async step(): Promise<void> {
    await otherEvents();
    await this.#tools.control.pass('the new packs were read again');
  }

  async #checkManifest(manifest: ManifestReference): Promise<void> {
    const { repository } = this.#tools;
    repository.forgetCached(manifest.path);
    const source = await repository.openManifest({ manifest });
    try {
      const plain = plainManifest(manifest);
      ManifestReader.open(source, plain).verifyWhole(plain.sha256);
    } catch (error) {
      throw different(manifest.path, asFailure(error).message);
    } finally {
      source.close();
    }
  }

  /** The packs, in groups of which no more than `EXTENTS_AT_ONCE` extents have to be held. */
  *#groups(packs: readonly ObjectReference[]): Generator<Map<string, { reference: ObjectReference; extents: number }>> {
    const counts = new Map(packs.map((reference) => [reference.path, { reference, extents: 0 }]));
    for (let number = 0; number < this.#reader.blockCount; number++) {
      SideTables.of(this.#reader.block(number)).eachExtent((pack) => {
        const path = this.#reader.packs[pack];
        if (path === undefined) throw new Failure('proof_failed', `the manifest points at its pack ${pack}, and names none`);
        const count = counts.get(path);
        if (count !== undefined) count.extents++;
      });
    }
    let group: typeof counts = new Map();
    let extents = 0;
    for (const [path, each] of counts) {
      if (group.size > 0 && extents + each.extents > EXTENTS_AT_ONCE) {
        yield group;
        group = new Map();
        extents = 0;
      }
      group.set(path, each);
      extents += each.extents;
    }
    if (group.size > 0) yield group;
  }

  async #checkGroup(group: ReadonlyMap<string, { reference: ObjectReference; extents: number }>): Promise<void> {
    const numbers = new Map([...group.keys()].map((path, number) => [path, number]));
    const table = new ExtentTable([...group.values()].reduce((sum, { extents }) => sum + extents, 0));
    let rows = 0;
    for (const { entry, block, row } of mergedEntries([this.#reader])) {
      if (++rows % ROWS_PER_STEP === 0) await this.step();
      for (const extent of entry.content?.extents ?? []) {
        const number = numbers.get(extent.pack);
        if (number !== undefined) table.add(extent, number, 0, block, row);
      }
    }
    const references = new Map([...table.byPack()].map((found) => [found.pack, found.references]));
    // In the order in which they were numbered.
    for (const [number, { reference }] of [...group.values()].entries()) await this.#checkPack(reference, references.get(number) ?? []);
  }

  async #checkPack(reference: ObjectReference, extents: Iterable<ExtentReference>): Promise<void> {
    const { repository } = this.#tools;
    const { path } = reference;
    const found: string[] = [];
    const note = (message: string): void => {
      if (found.length < PROBLEMS_TOLD) found.push(message);
    };
    const problems = {
      pack: (error: unknown) => note(asFailure(error).message),
      reference: ({ block, row }: ExtentReference, error: unknown) => {
        if (found.length < PROBLEMS_TOLD) note(`${JSON.stringify(this.#reader.readAt(block, row).path)}: ${asFailure(error).message}`);
      },
    };
    repository.forgetCached(path);
    await checkPack(repository, reference, extents, problems, this);
    if (found.length > 0) throw different(path, found.join('; '));
  }
}

function different(path: string, message: string): Failure {
  return new Failure('repository_damaged', `read back, ${path} is not what was stored: ${message}`, {
    affected: [path],
    advice: 'Nothing was recorded. Check the disk and the memory of the machine that holds the repository, and run the backup again.',
    retry: true,
  });
}
