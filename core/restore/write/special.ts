import { Failure } from '../../failure.ts';
import { closeDescriptor, makeNodeAt, openHandleAt, symlinkAt } from '../../linux/files.ts';
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK } from '../../linux/flags.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import type { ByteString, Entry, EntryKind } from '../../manifest/entry.ts';
import { isWhiteout } from '../overlay/overlay-attributes.ts';
import { type Report, refusalsOf, type Witness, type WriteRules } from '../rules.ts';
import { stagedName } from '../target/names.ts';
import { clearPlace, discard, publish } from '../target/publish.ts';
import type { Place } from '../target/target.ts';
import { writeAttributes } from './attributes.ts';

const NODE_TYPES = new Map<EntryKind, number>([
  ['fifo', S_IFIFO],
  ['socket', S_IFSOCK],
  ['character-device', S_IFCHR],
  ['block-device', S_IFBLK],
]);

const stat = new StatBuffer();

/**
 * Makes a link, FIFO, socket or device in its place, complete with its own attributes. A whiteout that is restored through a
 * mounted overlay is what it means: a deletion, of a directory with entries only where the rules let it go. `witness` learns which inode it
 * is.
 */
export function writeSpecial(place: Place, entry: Entry, rules: WriteRules, report: Report, witness?: Witness): void {
  if (place.overlay && isWhiteout(entry)) {
    clearPlace(place, entry.path, rules);
    return;
  }
  const staged = stagedName();
  try {
    makeStaged(place.staging, staged, entry);
    const handle = openHandleAt(place.staging, staged);
    try {
      writeAttributes(handle, entry, place, refusalsOf(entry.path, report));
      if (witness !== undefined) {
        statDescriptor(handle, stat);
        witness(stat);
      }
    } finally {
      closeDescriptor(handle);
    }
    publish(staged, place, entry.path, rules);
  } catch (error) {
    discard(place.staging, staged);
    throw error;
  }
}

function makeStaged(staging: number, staged: ByteString, entry: Entry): void {
  if (entry.kind === 'symlink') {
    if (entry.linkTarget === undefined) throw new Failure('content_missing', 'the snapshot has no target for this link');
    symlinkAt(entry.linkTarget, staging, staged);
    return;
  }
  const type = NODE_TYPES.get(entry.kind);
  if (type === undefined) throw new RangeError(`${entry.kind} is not a special file`);
  makeNodeAt(staging, staged, type | 0o600, entry.deviceNumber?.major, entry.deviceNumber?.minor);
}
