import type { Entry } from '../../manifest/entry.ts';
import { bringUpToDate, compareWithTarget } from '../plan/compare.ts';
import type { Report, Witness, WriteRules } from '../rules.ts';
import type { Place } from '../target/target.ts';
import { SafeFile } from './safe-file.ts';
import { writeSpecial } from './special.ts';

/**
 * Writes an entry that needs no pack: an empty file, a link, a FIFO, a socket or a device. False when it was already there as it
 * should be. `witness` learns which inode it is.
 */
export function writeSingle(place: Place, entry: Entry, rules: WriteRules, report: Report, witness?: Witness): boolean {
  if (entry.kind !== 'file') {
    if (rules.overwrite === 'changed' && compareWithTarget(place, entry, witness) === 'same') return false;
    writeSpecial(place, entry, rules, report, witness);
    return true;
  }
  const likeness = rules.overwrite === 'changed' ? bringUpToDate(place, entry, report, witness) : 'different';
  if (likeness !== 'different') return likeness === 'updated';
  // A file with further names is protected when those are linked.
  new SafeFile(place, entry, rules, report).finish(entry.linkCount === 1, witness);
  return true;
}
