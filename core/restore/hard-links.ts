import { Failure } from '../failure.ts';
import { linkAt } from '../linux/files.ts';
import { StatBuffer, statAt } from '../linux/stat.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { OwnerRights } from './owner-rights.ts';
import { publish, STAGED, withStaging } from './publish.ts';
import type { WriteRules } from './rules.ts';
import type { Place } from './target.ts';

const first = new StatBuffer();
const later = new StatBuffer();

/**
 * Makes `place` another name of what `from` names, also for links and special files. Both places must be open at once, so
 * they come from two `Target`s. False when it already was.
 */
export function writeHardLink(from: Place, place: Place, path: ByteString, rules: WriteRules): boolean {
  const bothThere = statAt(from.directory, from.name, first) && statAt(place.directory, place.name, later);
  if (bothThere && first.inode === later.inode && first.device === later.device) return false;
  withStaging(place.directory, (staging) => {
    linkAt(from.directory, from.name, staging, STAGED);
    checkOwner(staging, place.owner);
    publish(staging, STAGED, place, path, rules);
  });
  return true;
}

/** An owner who swaps the first name meanwhile gets no further name of somebody else's file; whiteouts are always root's. */
function checkOwner(staging: number, owner: OwnerRights | undefined): void {
  if (owner === undefined || !statAt(staging, STAGED, later) || later.kind === 'character-device') return;
  if (!owner.users.has(later.uid)) throw new Failure('replaced', 'the first name of this file was replaced');
}
