import type { ByteString } from '../../manifest/entry.ts';
import { comparePaths, isWithin } from '../../manifest/path-order.ts';
import type { LostStretch } from '../../manifest/read/manifest-reader.ts';
import { toWirePath } from '../../manifest/wire-path.ts';
import type { Problem } from '../rules.ts';

/** What of a point in time is lost, because its manifests are damaged: found while they are read. */
export class LostStretches {
  readonly #all: LostStretch[] = [];

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  readonly add = (lost: LostStretch): void => {
    this.#all.push(lost);
  };

  /** Why nobody knows whether there is such a path, or anything below it; undefined where it is known. */
  of(path: ByteString): LostStretch | undefined {
    return this.#all.find(({ from, to, isOne }) => {
      if (isOne) return from === path;
      const isBefore = comparePaths(from, path) <= 0 || isWithin(from, path);
      return isBefore && (to === undefined || comparePaths(path, to) < 0);
    });
  }

  /** Each as a problem, and whether it is that of one entry. Whoever may not know of all paths (`isOwner`) hears of none here. */
  *problems(isOwner: boolean): Generator<{ problem: Problem; isEntry: boolean }> {
    for (const lost of this.#all) {
      const isEntry = lost.isOne && !isOwner;
      const { code, message } = lost.failure;
      yield { problem: isEntry ? { code, message, path: lost.from } : problemOfStretch(lost, isOwner), isEntry };
    }
  }
}

function problemOfStretch({ from, to, failure: { code, message } }: LostStretch, isOwner: boolean): Problem {
  const shown = (path: ByteString): string => toWirePath(path).path;
  const end = to === undefined ? 'to the end' : `up to ${shown(to)}`;
  const where = from === '' || isOwner ? 'what it says' : `what it says of the paths from ${shown(from)} ${end}`;
  return {
    code,
    message: `${message}: ${where} is lost; they are as earlier backups have them, or missing, and nothing is deleted`,
    path: isOwner ? '' : from,
  };
}
