import { decompressFrame } from '../../archive/frame.ts';
import { asFailure, Failure } from '../../failure.ts';
import { releaseBuffer } from '../../linux/allocator.ts';
import type { Supply } from '../threads/write-messages.ts';
import type { PackCache, StoredFrame } from './pack-cache.ts';

/** The frames of a changed file alternate between few packs; more are asked for again. */
const KEPT_FRAMES = 3;

interface Expected {
  readonly promise: Promise<StoredFrame>;
  readonly resolve: (stored: StoredFrame) => void;
  readonly reject: (failure: Failure) => void;
}

/** The frames of a writing thread: asked of the main thread, decompressed here, the last few kept. */
export class FrameSupply {
  readonly #ask: (pack: string, frame: number) => void;
  readonly #expected = new Map<string, Expected>();
  readonly #kept = new Map<string, Buffer>();

  /** `ask` sends for a frame, which then comes by `deliver`. */
  constructor(ask: (pack: string, frame: number) => void) {
    this.#ask = ask;
  }

  /** Sends for a frame that will be needed next, if it is not here. */
  expect(pack: string, frame: number): void {
    const key = `${frame} ${pack}`;
    if (!this.#kept.has(key)) this.#request(key, pack, frame);
  }

  #request(key: string, pack: string, frame: number): Promise<StoredFrame> {
    let expected = this.#expected.get(key);
    if (expected === undefined) {
      expected = Promise.withResolvers<StoredFrame>();
      // It may fail while nobody waits for it yet.
      expected.promise.catch(() => {});
      this.#expected.set(key, expected);
      this.#ask(pack, frame);
    }
    return expected.promise;
  }

  deliver({ pack, frame, stored, failure }: Supply): void {
    const expected = this.#expected.get(`${frame} ${pack}`);
    if (stored !== undefined) expected?.resolve(stored);
    else expected?.reject(new Failure(failure?.code ?? 'internal', failure?.message ?? 'no frame came'));
  }

  /** The decompressed frame; `repository_damaged` when it is not intact. */
  async get(pack: string, frame: number): Promise<Buffer> {
    const key = `${frame} ${pack}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    try {
      const tar = decode(await this.#request(key, pack, frame));
      this.#keep(key, tar);
      return tar;
    } finally {
      this.#expected.delete(key);
    }
  }

  #keep(key: string, tar: Buffer): void {
    this.#kept.set(key, tar);
    for (const [oldest, bytes] of this.#kept) {
      if (this.#kept.size <= KEPT_FRAMES) break;
      releaseBuffer(bytes);
      this.#kept.delete(oldest);
    }
  }

  /** Lets go of everything: to be called between files, when nobody uses a frame any more. */
  clear(): void {
    for (const bytes of this.#kept.values()) releaseBuffer(bytes);
    this.#kept.clear();
    this.#expected.clear();
  }
}

/** The tar blocks of a stored frame, which is gone afterwards. */
export function decode({ bytes, decompressedLength }: StoredFrame): Buffer {
  const tar = decompressFrame(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), decompressedLength);
  releaseBuffer(bytes);
  return tar;
}

/** The answer to `FrameSupply`'s request for a frame. Never throws: a frame that cannot be fetched is an answer, too. */
export async function supplyOf(packCache: PackCache, pack: string, frame: number): Promise<Supply> {
  try {
    return { type: 'supply', pack, frame, stored: await packCache.fetch(pack, frame) };
  } catch (error) {
    const { code, message } = asFailure(error);
    return { type: 'supply', pack, frame, failure: { code, message } };
  }
}
