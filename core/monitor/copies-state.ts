import { isOverdue } from '../chain/night.ts';
import type { Settings } from '../config/settings.ts';
import { readCopyState } from '../copy/copy-state.ts';
import { readPruneState } from '../copy/prune-state.ts';
import { readSeenSnapshot } from '../repository/history/seen.ts';
import { timeOfId } from '../repository/ids.ts';
import type { Repository } from '../repository/repository.ts';
import { copyStateFolder } from '../repository/state-directory.ts';
import type { WireCopyState } from '../schemas/copy.ts';
import type { StatusProblem, UnitStatus } from '../schemas/status.ts';
import { readVerified, type Verified } from '../verify/verified-units.ts';

/** A copy that was brought up to date no later is too old, in milliseconds. */
const TOO_OLD = 3 * 24 * 60 * 60 * 1000;

/** How each copy stands, as the state directory remembers it. */
export function copyStates({ place }: Pick<Repository, 'place'>, { copies }: Pick<Settings, 'copies'>): WireCopyState[] {
  return copies.map(({ name, repository }) => {
    const stateFolder = copyStateFolder(place.whoFolder, name);
    const { status = 'never', time = null, lastGood = null, message = null } = readCopyState(stateFolder) ?? {};
    const { time: pruned = null, problem: pruneProblem = null } = readPruneState(stateFolder) ?? {};
    return { name, repository, status, time, lastGood, message, pruned, pruneProblem };
  });
}

/** What of the copies needs attention at `now` (milliseconds since 1970). */
export function copyProblems(states: readonly WireCopyState[], now: number): StatusProblem[] {
  const bad = states.flatMap(({ name, status, lastGood, message, pruneProblem }) => {
    const ofPrune = pruneProblem === null ? [] : [`the prune of ${name}: ${pruneProblem}`];
    return [...ofCopying({ name, status, lastGood, message }, now), ...ofPrune];
  });
  if (bad.length === 0) return [];
  const text = `copies of the backups: ${bad.join('; ')}`;
  const advice = 'See what `apiscp-backup copy` says, and `apiscp-backup prune --from` with its name.';
  return [{ code: 'copy_failed', unit: null, message: text, advice, since: null }];
}

function ofCopying(
  { name, status, lastGood, message }: Pick<WireCopyState, 'name' | 'status' | 'lastGood' | 'message'>,
  now: number,
): string[] {
  if (status === 'never') return [`${name} was never made`];
  if (status !== 'ok') return [`${name} ${status === 'failed' ? 'failed' : 'lacks something'}: ${message}`];
  return lastGood !== null && now - Date.parse(lastGood) > TOO_OLD ? [`${name} is of ${lastGood}`] : [];
}

/** A copy, with what the state directory remembers of it. */
export interface KnownCopy {
  readonly state: WireCopyState;
  readonly stateFolder: string;
  readonly verified: ReadonlyMap<string, Verified>;
}

export function knownCopies({ place }: Pick<Repository, 'place'>, states: readonly WireCopyState[]): KnownCopy[] {
  return states.map((state) => {
    const stateFolder = copyStateFolder(place.whoFolder, state.name);
    return { state, stateFolder, verified: readVerified(stateFolder) };
  });
}

/** How a unit stands in each copy, without asking there. `due` is when the last automatic backup was (both in milliseconds since 1970). */
export function unitInCopies(
  copies: readonly KnownCopy[],
  unit: Pick<UnitStatus, 'unitId' | 'living' | 'snapshot' | 'time'>,
  due: number,
  now: number,
): UnitStatus['copies'] {
  return copies.map(({ state, stateFolder, verified }) => {
    const snapshot = unit.unitId === null ? undefined : readSeenSnapshot(stateFolder, unit.unitId);
    const checked = verified.get(unit.unitId ?? '');
    const time = snapshot === undefined ? undefined : timeInCopy(snapshot, unit, state.lastGood);
    return {
      name: state.name,
      snapshot: snapshot ?? null,
      newest: snapshot !== undefined && snapshot === unit.snapshot,
      time: time === undefined ? null : new Date(time).toISOString(),
      overdue: unit.living && unit.snapshot !== null && isOverdue(time ?? 0, due, now),
      verified: checked?.time ?? null,
      damaged: checked?.status === 'damaged',
    };
  });
}

/** Up to when a copy gives a unit back: where nothing changed since its newest snapshot, up to the last copy. */
function timeInCopy(snapshot: string, unit: Pick<UnitStatus, 'snapshot' | 'time'>, lastGood: string | null): number {
  const taken = timeOfId(snapshot).getTime();
  if (snapshot !== unit.snapshot || unit.time === null || lastGood === null) return taken;
  return Math.max(taken, Math.min(Date.parse(unit.time), Date.parse(lastGood)));
}

/** Damage that a verification found in copies. */
export function damagedInCopies(units: readonly Pick<UnitStatus, 'unit' | 'copies'>[]): StatusProblem[] {
  return units.flatMap(({ unit, copies }) =>
    copies.flatMap(({ name, damaged, verified }) => {
      if (!damaged) return [];
      const message = `the verification of ${verified} found damage in the copy ${name}`;
      const advice = `apiscp-backup verify ${unit} --from ${name}`;
      return [{ code: 'damaged' as const, unit, message, advice, since: verified }];
    }),
  );
}
