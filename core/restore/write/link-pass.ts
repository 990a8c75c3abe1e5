import { Failure } from '../../failure.ts';
import { closeDescriptor, openAt } from '../../linux/files.ts';
import { O_NONBLOCK, O_RDONLY } from '../../linux/flags.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { Entry } from '../../manifest/entry.ts';
import type { PassContext } from '../directories/directory-passes.ts';
import { isWhiteout } from '../overlay/overlay-attributes.ts';
import { type Plan, placeAt } from '../plan/plan.ts';
import type { RowPlace } from '../plan/snapshot-view.ts';
import { problemOf, refusalsOf } from '../rules.ts';
import { PROTECTING_FLAGS } from '../target/protection.ts';
import type { Target } from '../target/target.ts';
import { writeProtectingFlags } from './attributes.ts';
import { type Inode, isInode, writeHardLink } from './hard-links.ts';
import { writeSingle } from './single-entry.ts';

const stat = new StatBuffer();

/** Of linkat: the file has as many names as can be, or the target has no such names, or not between these two folders. */
const NO_LINK: ReadonlySet<string | undefined> = new Set(['EMLINK', 'EXDEV', 'EPERM', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Gives restored entries their further names, and those that are immutable or append-only that protection. `first` resolves
 * the first names, as the context's target can hold one place at a time. A name that cannot be linked, because the first one could not be
 * written or the file takes no more names, is written by `write`, and those after it are linked to it.
 */
export async function linkNames(plan: Plan, first: Target, context: PassContext, write: (place: RowPlace) => Promise<void>): Promise<void> {
  const { outcome, view, signal } = context;
  /** By the name that was to be the first: the one that is it now. */
  const leaders = new Map<string, RowPlace>();
  const late: RowPlace[] = [];
  for (let row = 0; row < plan.links.length && !signal.aborted; row++) {
    const from = placeAt(plan.links, row);
    const later = placeAt(plan.links, row, 1);
    const key = `${from.layer}:${from.block}:${from.row}`;
    if (!linkName(leaders.get(key) ?? from, later, first, context)) {
      await write(later);
      if (outcome.inodeOf(later) !== undefined) {
        leaders.set(key, later);
        if ((view.entryAt(later).inodeFlags & PROTECTING_FLAGS) !== 0) late.push(later);
      }
    }
    context.tick();
  }
  for (let row = 0; row < plan.lateFlags.length; row++) late.push(placeAt(plan.lateFlags, row));
  for (const place of late) {
    const restored = outcome.inodeOf(place);
    if (restored !== undefined) protect(view.entryAt(place), restored, context);
  }
}

/** False when the name has to be written instead. */
function linkName(from: RowPlace, name: RowPlace, first: Target, { target, view, rules, outcome }: PassContext): boolean {
  const later = view.entryAt(name);
  try {
    const place = target.place(later.path);
    if (place.overlay && isWhiteout(later)) {
      // OverlayFS gives all its whiteouts one inode; through the mount each is a deletion of its own.
      if (writeSingle(place, later, rules, outcome.report.bind(outcome))) outcome.written++;
      else outcome.unchanged++;
      return true;
    }
    if (outcome.lacksContent(from)) throw new Failure('content_missing', 'the content of this file could not be restored');
    const restored = outcome.inodeOf(from);
    if (restored === undefined) return false;
    const path = view.entryAt(from).path;
    if (writeHardLink(first.place(path), restored, place, later.path, rules)) outcome.written++;
    else outcome.unchanged++;
  } catch (error) {
    if (NO_LINK.has(errorCode(error)) || (error instanceof Failure && error.code === 'replaced')) return false;
    outcome.fail(problemOf(later.path, error));
  }
  return true;
}

function protect(entry: Entry, restored: Inode, { target, outcome }: PassContext): void {
  try {
    const place = target.place(entry.path);
    const descriptor = openAt(place.directory, place.name, O_RDONLY | O_NONBLOCK);
    try {
      statDescriptor(descriptor, stat);
      if (!isInode(stat, restored)) {
        throw new Failure('replaced', 'another file was put in its place');
      }
      writeProtectingFlags(descriptor, entry, refusalsOf(entry.path, outcome.report.bind(outcome)));
    } finally {
      closeDescriptor(descriptor);
    }
  } catch (error) {
    outcome.fail(problemOf(entry.path, error));
  }
}
