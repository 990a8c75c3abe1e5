import { breath, isBreathDue } from '../context/breath.ts';
import { Failure } from '../failure.ts';
import type { RetentionRules } from '../prune/unit-retention.ts';
import { eachOf } from '../repository/each-of.ts';
import { coversRun, readDeletions, whereAllowed } from '../repository/history/deletions.ts';
import { keepSeenRuns, readSeenRuns } from '../repository/history/seen.ts';
import { unitNameOf } from '../repository/ids.ts';
import * as layout from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import type { RunIndex } from '../repository/run-index.ts';
import type { Copied } from './copied.ts';
import type { Copier, Throttle } from './copier.ts';
import { copyUnit } from './copy-unit.ts';
import { ObjectCopier } from './object-copier.ts';
import { orProblem } from './or-problem.ts';
import { SealedCopier } from './sealed-copier.ts';
import { sayWhatStands } from './standing.ts';

/** How a server is copied. */
export interface CopyOrder {
  /** Which snapshots the copy is to have; undefined: all. */
  readonly rules: RetentionRules | undefined;
  readonly runs: RunIndex;
  readonly throttle: Throttle;
  readonly signal: AbortSignal;
  /** Called with each unit before its turn, and how many units there are; keeps whoever deletes from it away until what it gives is called. */
  readonly begin: (name: string, number: number, count: number) => Promise<() => void>;
}

const DOCUMENTS_AT_ONCE = 8;

/** Where the documents of a server are that say who it is, in the order in which they are copied. Records of runs name snapshots, so they come last. */
const HEAD = [
  layout.SERVER_FILE,
  `${layout.MACHINES_FOLDER}/`,
  `${layout.KEYS_FOLDER}/`,
  `${layout.DELETIONS_FOLDER}/`,
  `${layout.NOTES_FOLDER}/`,
  `${layout.HOLDS_FOLDER}/`,
] as const;

/** What may end, and then ends in the copy, too. */
const ENDING = [`${layout.NOTES_FOLDER}/`, `${layout.HOLDS_FOLDER}/`] as const;

/**
 * Copies everything of a server that the target does not have. A copy that is a repository of its own has it for other recipients; what it has it says
 * itself, as one with rules of its own does. Says in `copied` what was copied. Damage is a problem there; whatever else goes wrong is thrown.
 */
export async function copyServer(source: Repository, target: Repository, order: CopyOrder, copied: Copied): Promise<void> {
  source.expectAll();
  target.expectAll();
  if ((await target.runs.missing()) !== undefined) {
    const message = `records of runs that were in the copy ${target.backend.description} are gone: they are copied again`;
    copied.problem(new Failure('history_missing', message, { affected: [target.backend.description] }));
  }
  const work = { copied, throttle: order.throttle, signal: order.signal };
  const isOther = target.identity.id !== source.identity.id;
  const copier = await (isOther ? SealedCopier : ObjectCopier).open(source, target, work);
  const speaks = order.rules !== undefined || copier.speaksForItself;
  const paths = [...copier.inSource.keys()].sort();
  for (const place of HEAD) {
    if (speaks && place === `${layout.DELETIONS_FOLDER}/`) continue;
    const found = paths.filter((path) => path === place || (place.endsWith('/') && path.startsWith(place)));
    await eachOf(found, DOCUMENTS_AT_ONCE, (path) => orProblem(copied, () => copier.document(path)));
  }
  const units = (await source.units.ids()).sort();
  const ofUnits = Map.groupBy(paths, unitOf);
  for (const [index, unit] of units.entries()) {
    if (isBreathDue()) await breath();
    const end = await order.begin(unitNameOf(unit), index + 1, units.length);
    try {
      await copyUnit({ unit, paths: ofUnits.get(unit) ?? [] }, copier, copied, order.rules);
    } finally {
      end();
    }
  }
  if (speaks) await sayWhatStands(units, copier, copied, order.runs);
  await copyRuns(paths, copier, copied, order.runs);
  await endInCopy(copier);
}

/** The unit whose folder a path is in; undefined: it is in none. */
function unitOf(path: string): string | undefined {
  const [folder, unit] = path.split('/', 2);
  return folder === layout.UNITS_FOLDER ? unit : undefined;
}

/** Removes what ended from a copy. Where nothing may be deleted it stays: a hold keeps what it holds. */
async function endInCopy(copier: Copier): Promise<void> {
  const { source, target } = copier;
  const ended = [...copier.inTarget].filter((path) => !copier.inSource.has(path) && ENDING.some((place) => path.startsWith(place)));
  for (const path of ended) {
    if (await whereAllowed(() => copier.remove(path))) continue;
    const name = target.nameOf(path);
    const message = `${name} has ended, and stays in the copy, where this server may delete nothing`;
    source.notify({ level: 'warning', code: 'repository_refused', message, affected: [name] });
  }
}

/** The log of runs, without what the copy has deleted of it. */
async function copyRuns(paths: readonly string[], copier: Copier, copied: Copied, { log }: RunIndex): Promise<void> {
  const { source, target } = copier;
  const deleted = await readDeletions(target, (error) => copied.problem(error));
  const isDeleted = (path: string): boolean => {
    const sequence = log.get(layout.recordIdOf(path) ?? '')?.sequence;
    return sequence !== undefined && coversRun(deleted, sequence) && !copier.has(path);
  };
  const runs = paths.filter((path) => path.startsWith(`${layout.RUNS_FOLDER}/`) && !isDeleted(path));
  await eachOf(runs, copier.runsAtOnce, (path) => orProblem(copied, () => copier.document(path)));
  const { head } = readSeenRuns(source.stateFolder, source.server);
  if (head === undefined || !copier.has(layout.runPath(head.id))) return;
  keepSeenRuns(target.stateFolder, target.server, { head: copier.linkThere(head) });
}
