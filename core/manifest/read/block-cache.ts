import type { BlockView } from './block-view.ts';

interface KeptBlock {
  readonly owner: object;
  readonly block: BlockView;
}

/** The decoded blocks that were used last, of one manifest or of all that are read together. */
export class BlockCache {
  readonly #capacity: number;
  /** The latest last. */
  readonly #kept: KeptBlock[] = [];

  /** `capacity` is the most blocks that are kept. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Block `number` of the manifest that `owner` reads: a kept one, or what `read` brings. */
  get(owner: object, number: number, read: () => BlockView): BlockView {
    const kept = this.#kept;
    const place = kept.findLastIndex((each) => each.owner === owner && each.block.index === number);
    if (place >= 0 && place === kept.length - 1) return (kept[place] as KeptBlock).block;
    const found = place < 0 ? { owner, block: read() } : (kept.splice(place, 1)[0] as KeptBlock);
    if (kept.length === this.#capacity) kept.shift();
    kept.push(found);
    return found.block;
  }
}
