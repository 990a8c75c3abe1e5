import { PackReader } from '../../archive/pack-reader.ts';
import { Failure } from '../../failure.ts';
import type { BlockView } from '../../manifest/read/block-view.ts';
import type { ManifestReader } from '../../manifest/read/manifest-reader.ts';
import { SideTables } from '../../manifest/read/side-tables.ts';
import type { ObjectReference, SnapshotRecord } from '../../repository/record.ts';
import type { Repository } from '../../repository/repository.ts';
import type { FrameLedger } from '../../scan/pack/frame-ledger.ts';
import type { FinishedPack, SnapshotPacks } from '../packs/snapshot-packs.ts';

/** Of a distant place. */
const PACKS_AT_ONCE = 8;

/** What a snapshot is to consist of, all of it stored and nothing visible yet. */
export interface ProofSubject {
  readonly manifest: ManifestReader;
  readonly packs: SnapshotPacks;
  /** What `packs` came to. */
  readonly added: readonly FinishedPack[];
  /** What the workers sent. */
  readonly sent: FrameLedger;
  /** The records that the snapshot builds on. */
  readonly chain: Iterable<SnapshotRecord>;
}

/**
 * Proves what a snapshot's record is about to promise: each added pack, as it is stored, has exactly the frames that this unit's run
 * sent, in their order and lengths; the frames hold exactly the members that the workers made; and all content that the manifest
 * points at lies in those frames, or in packs that the chain names, and is as long as its file. Throws `proof_failed`, or
 * `repository_damaged` for a stored pack that is none. What it costs: a few short reads a pack, and one pass over the manifest.
 */
export async function proveSnapshot(subject: ProofSubject, repository: Repository): Promise<void> {
  const { manifest, packs, added, sent, chain } = subject;
  sent.checkSum();
  const places = new Map<string, ContentPlaces | undefined>();
  for (const { packs: named } of chain) for (const { path } of named) places.set(path, undefined);
  const atOnce = repository.backend.isDistant === true ? PACKS_AT_ONCE : 1;
  for (let begin = 0; begin < added.length; begin += atOnce) {
    const proofs = added.slice(begin, begin + atOnce).map(async ({ number, reference }) => {
      places.set(reference.path, await provePack(number, reference, packs, sent, repository));
    });
    await Promise.all(proofs);
  }
  const named = manifest.packs.map((path) => {
    if (!places.has(path)) throw failed(`the manifest points at ${path}, which is neither new nor of the chain`);
    return places.get(path);
  });
  for (let number = 0; number < manifest.blockCount; number++) {
    const block = writtenBlock(manifest, number);
    SideTables.of(block).eachExtent((pack, frame, offset, length) => named[pack]?.check(frame, offset, length));
  }
}

/** A block as a reader takes it, who checks what each row says. */
function writtenBlock(manifest: ManifestReader, number: number): BlockView {
  try {
    return manifest.block(number);
  } catch (error) {
    throw error instanceof Failure && error.code === 'repository_damaged' ? failed(error.message) : error;
  }
}

/** Compares the table of a stored pack with what was sent; returns where contents may lie in it. */
async function provePack(
  number: number,
  { path, length }: ObjectReference,
  packs: SnapshotPacks,
  sent: FrameLedger,
  repository: Repository,
): Promise<ContentPlaces> {
  const size = await repository.objectSize(path);
  if (size !== length) throw failed(`the pack ${path} is stored with ${size ?? 'no'} bytes instead of ${length}`);
  const content = await repository.openContent(path, length);
  const reader = await PackReader.open(content.length, content.read);
  const { contents, all } = packs.framesOf(number);
  const appended = packs.appended.packs.get(number);
  // The end of the archive comes last.
  if (appended === undefined || reader.frameCount !== all + 1 || appended.compressed.length !== all) {
    throw failed(`the pack ${path} has ${reader.frameCount - 1} frames, ${appended?.compressed.length ?? 0} were sent, ${all} expected`);
  }
  const workers = sent.packs.get(number);
  if (workers !== undefined && workers.compressed.length !== contents) {
    throw failed(`${contents} frames of contents are in ${path}, the workers sent ${workers.compressed.length}`);
  }
  for (let frame = 0; frame < all; frame++) {
    const { length: stored, decompressedLength } = reader.frame(frame);
    for (const ledger of frame < contents && workers !== undefined ? [appended, workers] : [appended]) {
      if (ledger.compressed[frame] === stored && ledger.decompressed[frame] === decompressedLength) continue;
      throw failed(`frame ${frame} of ${path} is not the one that was sent`);
    }
  }
  return new ContentPlaces(path, appended.decompressed.slice(0, contents));
}

/** Where contents lie in a pack: the frames that were made of them. */
class ContentPlaces {
  readonly #path: string;
  readonly #lengths: readonly number[];
  /** Where each frame begins in the archive, and where the last one ends. */
  readonly #begins: Float64Array;

  constructor(path: string, lengths: readonly number[]) {
    this.#path = path;
    this.#lengths = lengths;
    this.#begins = new Float64Array(lengths.length + 1);
    lengths.forEach((length, frame) => {
      this.#begins[frame + 1] = (this.#begins[frame] as number) + length;
    });
  }

  /** Throws unless all of an extent lies here. */
  check(frame: number, offset: number, length: number): void {
    const begin = this.#begins[frame];
    const isInFrame = begin !== undefined && offset < (this.#lengths[frame] ?? 0);
    if (isInFrame && length > 0 && begin + offset + length <= (this.#begins.at(-1) as number)) return;
    throw failed(`${length} bytes at ${offset} of frame ${frame} are not in ${this.#path}`);
  }
}

function failed(message: string): Failure {
  return new Failure('proof_failed', message, {
    advice: 'Nothing was recorded. Run the backup again. If it fails again, make a full (`--level full`) and report this.',
  });
}
