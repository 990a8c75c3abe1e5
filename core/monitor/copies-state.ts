import type { Settings } from '../config/settings.ts';
import { readCopyState } from '../copy/copy-state.ts';
import type { Repository } from '../repository/repository.ts';
import { copyStateFolder } from '../repository/state-directory.ts';
import type { WireCopyState } from '../schemas/copy.ts';
import type { StatusProblem } from '../schemas/status.ts';

/** A copy that was brought up to date no later is too old, in milliseconds. */
const TOO_OLD = 3 * 24 * 60 * 60 * 1000;

/** How each copy stands, as the state directory remembers it. */
export function copyStates({ place }: Pick<Repository, 'place'>, { copies }: Pick<Settings, 'copies'>): WireCopyState[] {
  return copies.map(({ name, repository }) => {
    const { status, time, lastGood, message } = readCopyState(copyStateFolder(place.whoFolder, name)) ?? {};
    return { name, repository, status: status ?? 'never', time: time ?? null, lastGood: lastGood ?? null, message: message ?? null };
  });
}

/** What of the copies needs attention at `now` (milliseconds since 1970). */
export function copyProblems(states: readonly WireCopyState[], now: number): StatusProblem[] {
  const bad = states.flatMap(({ name, status, lastGood, message }) => {
    if (status === 'never') return [`${name} was never made`];
    if (status !== 'ok') return [`${name} ${status === 'failed' ? 'failed' : 'lacks something'}: ${message}`];
    return lastGood !== null && now - Date.parse(lastGood) > TOO_OLD ? [`${name} is of ${lastGood}`] : [];
  });
  if (bad.length === 0) return [];
  const message = `copies of the backups: ${bad.join('; ')}`;
  return [{ code: 'copy_failed', unit: null, message, advice: 'See what `apiscp-backup copy` says.', since: null }];
}
