import { Failure } from '../failure.ts';
import { closeDescriptor, makeNodeAt, openHandleAt, symlinkAt } from '../linux/files.ts';
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK } from '../linux/flags.ts';
import type { Entry, EntryKind } from '../manifest/entry.ts';
import { writeAttributes } from './attributes.ts';
import { isWhiteout } from './overlay-attributes.ts';
import { publish, STAGED, withStaging } from './publish.ts';
import { clearAway } from './remove-tree.ts';
import { type Report, refusalsOf, type WriteRules } from './rules.ts';
import type { Place } from './target.ts';

const NODE_TYPES = new Map<EntryKind, number>([
  ['fifo', S_IFIFO],
  ['socket', S_IFSOCK],
  ['character-device', S_IFCHR],
  ['block-device', S_IFBLK],
]);

/**
 * Makes a link, FIFO, socket or device in its place, complete with its own attributes. A whiteout that is restored through a
 * mounted overlay is what it means: a deletion.
 */
export function writeSpecial(place: Place, entry: Entry, rules: WriteRules, report: Report): void {
  if (place.overlay && isWhiteout(entry)) {
    clearAway(place.directory, place.name, entry.path, rules);
    return;
  }
  withStaging(place.directory, (staging) => {
    makeStaged(staging, entry);
    const handle = openHandleAt(staging, STAGED);
    try {
      writeAttributes(handle, entry, place, refusalsOf(entry.path, report));
    } finally {
      closeDescriptor(handle);
    }
    publish(staging, STAGED, place, entry.path, rules);
  });
}

function makeStaged(staging: number, entry: Entry): void {
  if (entry.kind === 'symlink') {
    if (entry.linkTarget === undefined) throw new Failure('content_missing', 'the snapshot has no target for this link');
    symlinkAt(entry.linkTarget, staging, STAGED);
    return;
  }
  const type = NODE_TYPES.get(entry.kind);
  if (type === undefined) throw new RangeError(`${entry.kind} is not a special file`);
  makeNodeAt(staging, STAGED, type | 0o600, entry.deviceNumber?.major, entry.deviceNumber?.minor);
}
