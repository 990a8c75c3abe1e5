import { PackBuilder } from '../../archive/pack-builder.ts';
import { Failure } from '../../failure.ts';
import type { ObjectReference } from '../../repository/record.ts';
import { FrameLedger } from '../../scan/pack/frame-ledger.ts';
import type { PackSink } from '../../scan/pack/unit-packing.ts';
import type { StoredOutput } from '../run/throttled-output.ts';
import type { SpooledFrame } from './trailing-spool.ts';

interface OpenPack {
  readonly writer: StoredOutput;
  readonly builder: PackBuilder;
  /** The last write; the next one waits for it. */
  tail: Promise<unknown>;
}

/** A pack that is stored; its number says which one of the snapshot it is. */
export interface FinishedPack {
  readonly number: number;
  readonly reference: ObjectReference;
}

/**
 * The packs that a snapshot adds. Frames of one pack are written one after the other, of different packs side by side. A pack is ended
 * once, by whoever comes first: it may still be on its way to the disk when the snapshot is finished.
 */
export class SnapshotPacks implements PackSink {
  readonly #create: (number: number) => Promise<StoredOutput>;
  readonly #isDistant: boolean;
  readonly #open = new Map<number, Promise<OpenPack>>();
  /** Every frame that was appended, in the order of the calls. */
  readonly appended = new FrameLedger();
  /** Which frames of which pack the structure is: those from `begin` up to `end`. Undefined when there is none. */
  #trailing: { readonly pack: number; readonly begin: number; readonly end: number } | undefined;
  /** Packs to which nothing is added any more. */
  readonly #ended = new Map<number, Promise<ObjectReference>>();

  /** `create` begins the object of pack number n, counted from 1. `isDistant`: waiting for one end after the other would take its time. */
  constructor(create: (number: number) => Promise<StoredOutput>, isDistant = false) {
    this.#create = create;
    this.#isDistant = isDistant;
  }

  /** The first number behind all that were used. */
  get nextNumber(): number {
    return Math.max(0, ...this.#open.keys(), ...this.#ended.keys()) + 1;
  }

  /** How many frames of a pack hold contents; the structure comes behind them, and nothing else. */
  framesOf(pack: number): { readonly contents: number; readonly all: number } {
    const { begin: contents, end: all } =
      this.#trailing?.pack === pack ? this.#trailing : { begin: this.appended.frames(pack), end: this.appended.frames(pack) };
    return { contents, all };
  }

  async append(number: number, frame: Uint8Array, decompressedLength: number): Promise<void> {
    if (this.#ended.has(number)) throw new Failure('internal', `pack ${number} has ended`);
    this.appended.append(number, frame.length, decompressedLength);
    const pack = await this.#opened(number);
    // The builder takes frames in the order of the calls; the first failure stays the pack's.
    pack.tail = pack.tail.then(() => pack.builder.addFrame(frame, decompressedLength));
    await pack.tail;
  }

  async close(number: number): Promise<void> {
    await this.#end(number);
  }

  /** Appends to the last pack, or to a new one when that has ended, the frames that have to come behind all contents. Once at most. */
  async appendTrailing(frames: Iterable<SpooledFrame>): Promise<void> {
    const last = this.nextNumber - 1;
    const place = this.#open.has(last) ? last : last + 1;
    const begin = this.appended.frames(place);
    let end = begin;
    for (const { bytes, decompressedLength } of frames) {
      this.#trailing = { pack: place, begin, end: ++end };
      await this.append(place, bytes, decompressedLength);
    }
  }

  /** Ends every pack that is open; further ones may follow. */
  async endOpen(): Promise<void> {
    const open = [...this.#open.keys()];
    if (this.#isDistant) await Promise.all(open.map((number) => this.#end(number)));
    else for (const number of open) await this.#end(number);
  }

  /** All packs, in the order in which tar extracts them. None may be open any more. */
  async finished(): Promise<FinishedPack[]> {
    const [open] = this.#open.keys();
    if (open !== undefined) throw new Failure('internal', `pack ${open} has not ended`);
    const inOrder = [...this.#ended].sort(([a], [b]) => a - b);
    return await Promise.all(inOrder.map(async ([number, ending]) => ({ number, reference: await ending })));
  }

  /** Drops everything that was not made visible. What cannot be dropped now is removed as abandoned later. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#ended.values());
    for (const opening of this.#open.values()) {
      const pack = await opening.catch(() => undefined);
      await pack?.tail.catch(() => {});
      await pack?.writer.abort().catch(() => {});
    }
  }

  #end(number: number): Promise<ObjectReference> {
    let ending = this.#ended.get(number);
    if (ending === undefined) {
      ending = commitPack(this.#opened(number));
      this.#ended.set(number, ending);
      this.#open.delete(number);
    }
    return ending;
  }

  #opened(number: number): Promise<OpenPack> {
    let opening = this.#open.get(number);
    if (opening === undefined) {
      opening = this.#begin(number);
      this.#open.set(number, opening);
    }
    return opening;
  }

  async #begin(number: number): Promise<OpenPack> {
    const writer = await this.#create(number);
    const builder = new PackBuilder((bytes) => writer.write(bytes));
    return { writer, builder, tail: Promise.resolve() };
  }
}

async function commitPack(opening: Promise<OpenPack>): Promise<ObjectReference> {
  const { writer, builder, tail } = await opening;
  try {
    await tail;
    await builder.finish();
    return await writer.commit();
  } catch (error) {
    await writer.abort().catch(() => {});
    throw error;
  }
}
