import type { ByteString } from '../../manifest/entry.ts';
import { comparePaths, isWithin } from '../../manifest/path-order.ts';
import type { LostStretch } from '../../manifest/read/manifest-reader.ts';
import { toWirePath } from '../../manifest/wire-path.ts';
import type { OutcomeBuilder } from '../outcome.ts';
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

  /** Tells each. Whoever may not know of all paths (`isOwner`) hears of none here. */
  report(outcome: OutcomeBuilder, isOwner: boolean): void {
    for (const lost of this.#all) {
      if (lost.isOne && !isOwner) outcome.entries++;
      if (lost.isOne && !isOwner) outcome.fail({ code: lost.failure.code, message: lost.failure.message, path: lost.from });
      else outcome.problems.add(problemOfStretch(lost, isOwner));
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
