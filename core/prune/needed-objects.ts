import { wantedUntil } from '../chain/wanted-until.ts';
import { asFailure } from '../failure.ts';
import { REPOSITORY_FILE, recoveryPath, snapshotPath, UNITS_FOLDER, unitFolder, unitPath } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { Refusals } from './refusals.ts';
import { decideUnit, type RetentionRules, type UnitRetention } from './unit-retention.ts';

/** An object that something which is kept needs. */
export interface NeededObject {
  /** In the backend. */
  readonly name: string;
  /** When it was stored, in milliseconds since 1970: another time is another version. */
  readonly modified: number;
  /** Until when it is needed at least, as `wantedUntil` says it. */
  readonly wanted: number;
}

/**
 * All objects of a server, and `repository.json`, that retention keeps: of units what the snapshots that stay need, of everything else all. Of a unit of which
 * a record cannot be used, nobody knows what that needs: all is.
 */
export async function neededObjects(repository: Repository, rules: RetentionRules): Promise<NeededObject[]> {
  repository.expectAll();
  const refusals = new Refusals(repository.stateFolder);
  const wanted = new Map<string, number>();
  const open = new Set<string>();
  for (const unit of await repository.units.ids()) {
    try {
      const retention = await decideUnit(unit, repository, rules);
      const isRefused = refusals.refusalOf(retention, rules) !== undefined;
      addUnit(retention, isRefused, rules, wanted);
    } catch (error) {
      const { code, message, retry } = asFailure(error);
      if (retry || code === 'cancelled') throw error;
      repository.notify({ level: 'warning', code, message: `all of ${unit} is locked: ${message}`, affected: [unit] });
      open.add(unitFolder(unit));
    }
  }
  const needed: NeededObject[] = [];
  for await (const { name: path, modified } of repository.listObjects('')) {
    const until = isOfUnit(path) && !open.has(path.split('/', 2).join('/')) ? wanted.get(path) : 0;
    if (until !== undefined) needed.push({ name: repository.nameOf(path), modified, wanted: until });
  }
  for await (const { name, modified } of repository.backend.list(REPOSITORY_FILE)) {
    if (name === REPOSITORY_FILE) needed.push({ name, modified, wanted: 0 });
  }
  return needed;
}

const isOfUnit = (path: string): boolean => path.startsWith(`${UNITS_FOLDER}/`);

/** What a unit's snapshots need. What a prune would not delete without a person's word stays until that comes. */
function addUnit({ unit, snapshots, kept }: UnitRetention, isRefused: boolean, rules: RetentionRules, wanted: Map<string, number>): void {
  const ids = new Set(kept.map(({ id }) => id));
  const staying = snapshots.filter(({ id }) => isRefused || ids.has(id));
  const ends = wantedUntil(staying, rules);
  const add = (path: string, until: number) => wanted.set(path, Math.max(wanted.get(path) ?? 0, until));
  add(unitPath(unit), 0);
  for (const { id, record } of staying) {
    const until = ends.get(id) ?? 0;
    for (const path of [snapshotPath(unit, id), record.manifest.path, ...record.packs.map((pack) => pack.path)]) {
      add(path, until);
      add(recoveryPath(path), until);
    }
  }
}
