import { word } from './format/columns.ts';
/** Two numbers for one device, each (major << 32 | minor): what a unit's manifests call it, and what the kernel calls it now. */
export interface RenumberedDevice {
  readonly recorded: bigint;
  readonly present: bigint;
}

/**
 * Translates device numbers between a unit's manifests and the kernel of today, one to one in both directions: what had two
 * numbers before has two numbers after, so that no two inodes become one.
 */
export class DeviceNumbers {
  /** Whether all numbers are the same on both sides. */
  readonly isIdentity: boolean;
  readonly #toPresent = new Map<bigint, bigint>();
  readonly #toRecorded = new Map<bigint, bigint>();

  /** No number may be given twice on one side. Numbers that are not given stay as they are, unless they would meet one that is. */
  constructor(devices: readonly RenumberedDevice[]) {
    for (const { recorded, present } of devices) {
      this.#toPresent.set(recorded, present);
      this.#toRecorded.set(present, recorded);
    }
    // A number that is used up on one side and free on the other would be met by a stranger of that number: they change places.
    const strangers = [...this.#toRecorded.keys()].filter((number) => !this.#toPresent.has(number));
    const free = [...this.#toPresent.keys()].filter((number) => !this.#toRecorded.has(number));
    for (const [place, stranger] of strangers.entries()) {
      const number = free[place] as bigint;
      this.#toPresent.set(stranger, number);
      this.#toRecorded.set(number, stranger);
    }
    this.isIdentity = [...this.#toPresent].every(([recorded, present]) => recorded === present);
  }

  toRecorded(present: bigint): bigint {
    return this.#toRecorded.get(present) ?? present;
  }

  toPresent(recorded: bigint): bigint {
    return this.#toPresent.get(recorded) ?? recorded;
  }

  /** Replaces recorded numbers, a word for the major and one for the minor number each, by the present ones. */
  translateWords(words: Uint32Array): void {
    for (let at = 0; at + 1 < words.length; at += 2) {
      const present = this.toPresent((BigInt(word(words, at)) << 32n) | BigInt(word(words, at + 1)));
      words[at] = Number(present >> 32n);
      words[at + 1] = Number(present & 0xffff_ffffn);
    }
  }
}
