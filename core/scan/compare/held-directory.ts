import { letGo } from '../../linux/files.ts';

/**
 * A directory descriptor that several readers share: the walk that lists it and the batches whose entries lie in it. All
 * threads of a process share descriptors, so a worker opens by its number. Closed with the last release.
 */
export class HeldDirectory {
  readonly descriptor: number;
  #holders = 1;

  constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders === 0) letGo(this.descriptor);
  }
}
