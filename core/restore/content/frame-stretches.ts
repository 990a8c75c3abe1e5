import type { FramePlace } from '../../archive/seek-table.ts';
import { releaseBuffer } from '../../linux/allocator.ts';
import { ownBuffer, type PackCache, type StoredFrame } from './pack-cache.ts';

/** How frames of a distant place are read together, in bytes. */
export interface Reach {
  /** What lies between two frames is read over when it is not longer: a request of its own would take as long as this. */
  readonly gap: number;
  /** Of the first stretch; each later one may be twice as long as the one before, so that the first frames are here soon. */
  readonly first: number;
  readonly longest: number;
  /** What is under way or waits to be taken, in all; a stretch of one frame may be longer. */
  readonly room: number;
}

const USUAL_REACH: Reach = { gap: 128 * 1024, first: 512 * 1024, longest: 4 * 1024 * 1024, room: 16 * 1024 * 1024 };

/** A frame that is going to be taken. */
export interface WantedFrame {
  readonly pack: string;
  readonly frame: number;
}

interface Place extends FramePlace {
  readonly number: number;
}

/** Neighbouring frames that are read as one. */
interface Stretch {
  readonly pack: string;
  readonly begin: number;
  readonly end: number;
  readonly places: readonly Place[];
}

interface Slot extends PromiseWithResolvers<StoredFrame> {
  /** What becomes free when the frame is taken, in bytes. */
  share: number;
}

/**
 * Frames of distant packs, in an order that is known beforehand: those that lie beside one another are one request, several requests are under way, and what
 * is here waits until it is taken. The frames must be taken in about this order, each by its number in it, and all of them.
 */
export class FrameStretches {
  readonly #packs: PackCache;
  readonly #reach: Reach;
  readonly #wanted: Iterator<WantedFrame>;
  readonly #slots = new Map<number, Slot>();
  /** From this number on nothing was begun. */
  #next = 0;
  #held = 0;
  #roomMade = Promise.withResolvers<void>();

  /** Begins to read at once. */
  constructor(packs: PackCache, wanted: Iterable<WantedFrame>, reach = USUAL_REACH) {
    this.#packs = packs;
    this.#reach = reach;
    this.#wanted = wanted[Symbol.iterator]();
    void this.#readAll();
  }

  /** The frame of this number. Throws what keeps it from being read. */
  async take(number: number): Promise<StoredFrame> {
    const slot = this.#slot(number);
    try {
      return await slot.promise;
    } finally {
      this.#slots.delete(number);
      this.#held -= slot.share;
      this.#roomMade.resolve();
    }
  }

  #slot(number: number): Slot {
    let slot = this.#slots.get(number);
    if (slot === undefined) {
      slot = { ...Promise.withResolvers<StoredFrame>(), share: 0 };
      // It may fail while nobody waits for it yet.
      slot.promise.catch(() => {});
      this.#slots.set(number, slot);
    }
    return slot;
  }

  async #readAll(): Promise<void> {
    let longest = this.#reach.first;
    for await (const stretch of this.#stretches(() => longest)) {
      const length = stretch.end - stretch.begin;
      while (this.#held > 0 && this.#held + length > this.#reach.room) {
        this.#roomMade = Promise.withResolvers();
        await this.#roomMade.promise;
      }
      this.#held += length;
      longest = Math.min(2 * longest, this.#reach.longest);
      void this.#read(stretch);
    }
  }

  async #read({ pack, begin, end, places }: Stretch): Promise<void> {
    const slots = places.map(({ number }) => this.#slot(number));
    for (const slot of slots) slot.share = (end - begin) / places.length;
    try {
      const bytes = ownBuffer(await this.#packs.read(pack, begin, end - begin));
      for (const [index, { offset, length, decompressedLength }] of places.entries()) {
        const isAlone = length === bytes.length;
        slots[index]?.resolve({ bytes: isAlone ? bytes : bytes.slice(offset - begin, offset - begin + length), decompressedLength });
      }
      if (places.length > 1) releaseBuffer(bytes);
    } catch (error) {
      for (const slot of slots) slot.reject(error);
    }
  }

  async *#stretches(longest: () => number): AsyncGenerator<Stretch> {
    let open: { pack: string; begin: number; end: number; places: Place[] } | undefined;
    for (let { value, done } = this.#wanted.next(); done !== true; { value, done } = this.#wanted.next()) {
      const { pack, frame } = value as WantedFrame;
      const number = this.#next++;
      let place: Place;
      try {
        place = { ...(await this.#packs.open(pack)).frame(frame), number };
      } catch (error) {
        this.#slot(number).reject(error);
        continue;
      }
      const end = place.offset + place.length;
      const isBeside = open?.pack === pack && place.offset >= open.begin && place.offset <= open.end + this.#reach.gap;
      if (open !== undefined && isBeside && end - open.begin <= longest()) {
        open.end = Math.max(open.end, end);
        open.places.push(place);
        continue;
      }
      if (open !== undefined) yield open;
      open = { pack, begin: place.offset, end, places: [place] };
    }
    if (open !== undefined) yield open;
  }
}
