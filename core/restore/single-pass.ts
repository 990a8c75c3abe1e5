import type { Entry } from '../manifest/entry.ts';
import { bringUpToDate, compareWithTarget } from './compare.ts';
import type { PassContext } from './directory-passes.ts';
import { type Plan, placeAt } from './plan.ts';
import { problemOf } from './rules.ts';
import { SafeFile } from './safe-file.ts';
import { writeSpecial } from './special.ts';

/** Writes empty files, links, FIFOs, sockets and devices: what needs no pack. */
export function writeSingles(plan: Plan, context: PassContext): void {
  const { view, outcome } = context;
  for (let row = 0; row < plan.singles.length && !context.signal.aborted; row++) {
    const place = placeAt(plan.singles, row);
    const entry = view.entryAt(place);
    try {
      if (writeSingle(entry, context)) outcome.written++;
      else outcome.unchanged++;
    } catch (error) {
      outcome.fail(problemOf(entry.path, error));
      if (entry.linkCount > 1) outcome.lose(place);
    }
    context.tick();
  }
}

/** False when the entry was already there as it should be. */
function writeSingle(entry: Entry, { target, rules, outcome }: PassContext): boolean {
  const place = target.place(entry.path);
  const report = outcome.report.bind(outcome);
  if (entry.kind !== 'file') {
    if (rules.overwrite === 'changed' && compareWithTarget(place, entry) === 'same') return false;
    writeSpecial(place, entry, rules, report);
    return true;
  }
  const likeness = rules.overwrite === 'changed' ? bringUpToDate(place, entry, report) : 'different';
  if (likeness !== 'different') return likeness === 'updated';
  new SafeFile(place, entry, rules, report).finish(entry.linkCount === 1);
  return true;
}
