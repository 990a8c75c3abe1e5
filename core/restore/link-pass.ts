import { Failure } from '../failure.ts';
import { closeDescriptor, openAt } from '../linux/files.ts';
import { O_NONBLOCK, O_RDONLY } from '../linux/flags.ts';
import { StatBuffer, statDescriptor } from '../linux/stat.ts';
import type { Entry } from '../manifest/entry.ts';
import { writeProtectingFlags } from './attributes.ts';
import type { PassContext } from './directory-passes.ts';
import { type Inode, isInode, writeHardLink } from './hard-links.ts';
import { isWhiteout } from './overlay-attributes.ts';
import { type Plan, placeAt } from './plan.ts';
import { problemOf, refusalsOf } from './rules.ts';
import { writeSpecial } from './special.ts';
import type { Target } from './target.ts';

const stat = new StatBuffer();

/**
 * Gives restored entries their further names, and those that are immutable or append-only that protection. `first` resolves
 * the first names, as the context's target can hold one place at a time.
 */
export function linkNames(plan: Plan, first: Target, context: PassContext): void {
  for (let row = 0; row < plan.links.length && !context.signal.aborted; row++) {
    linkName(plan, row, first, context);
    context.tick();
  }
  for (let row = 0; row < plan.lateFlags.length; row++) {
    const place = placeAt(plan.lateFlags, row);
    const restored = context.outcome.inodeOf(place);
    if (restored !== undefined) protect(context.view.entryAt(place), restored, context);
  }
}

function linkName(plan: Plan, row: number, first: Target, { target, view, rules, outcome }: PassContext): void {
  const from = placeAt(plan.links, row);
  const later = view.entryAt(placeAt(plan.links, row, 1));
  try {
    const place = target.place(later.path);
    if (place.overlay && isWhiteout(later)) {
      // OverlayFS gives all its whiteouts one inode; through the mount each is a deletion of its own.
      writeSpecial(place, later, rules, outcome.report.bind(outcome));
      outcome.written++;
      return;
    }
    const restored = outcome.inodeOf(from);
    if (restored === undefined || outcome.isLost(from)) {
      throw new Failure('content_missing', 'the first name of this file could not be restored');
    }
    const path = view.entryAt(from).path;
    if (writeHardLink(first.place(path), restored, place, later.path, rules)) outcome.written++;
    else outcome.unchanged++;
  } catch (error) {
    outcome.fail(problemOf(later.path, error));
  }
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
