import { copyOf, settingsOfCopy } from '../config/copies.ts';
import { limitsOf } from '../config/limits.ts';
import { absentPruneKey } from '../config/prune-key.ts';
import type { Context } from '../context/context.ts';
import { keepInState } from '../context/keep-state.ts';
import { keepPruneState } from '../copy/prune-state.ts';
import { asFailure, type FailureCode } from '../failure.ts';
import { sourceOfCopy } from '../repository/known-copies.ts';
import { knownAt } from '../repository/known-places.ts';
import { copyStateFolder, repositoryStateFolder } from '../repository/state-directory.ts';
import type { NightlyStep } from '../schemas/nightly.ts';
import type { PruneRequest, PruneResult } from '../schemas/prune.ts';

type Prune = (request: PruneRequest, context: Context) => Promise<PruneResult>;
type Outcome = Pick<NightlyStep, 'status' | 'message'>;

/** What says nothing of how the copy stands. */
const PASSING: ReadonlySet<FailureCode> = new Set(['cancelled', 'locked', 'usage', 'invalid_settings']);

/** Prunes, and where it is a copy that is pruned, remembers in the state directory how that ended. */
export function rememberingCopies(prune: Prune): Prune {
  return async (request, context) => {
    const time = context.now().toISOString();
    try {
      const result = await prune(request, context);
      const left = result.units.filter(({ status }) => status !== 'ok').map(({ unit, reason }) => `${unit}: ${reason}`);
      if (request.dryRun !== true) keep({ time, problem: left[0] ?? null }, context);
      return result;
    } catch (error) {
      const { code, message } = asFailure(error);
      if (request.dryRun !== true && !PASSING.has(code)) keep({ time, problem: message }, context);
      throw error;
    }
  };
}

function keep(state: Parameters<typeof keepPruneState>[1], { settings, reporter }: Context): void {
  const { stateDirectory, repository } = settings;
  const [copy, id] = [copyOf(settings), knownAt(stateDirectory, repository)];
  if (copy === undefined || id === undefined) return;
  // What is remembered of a copy that is another repository stands with the one that it is a copy of.
  const source = sourceOfCopy(stateDirectory, id) ?? id;
  keepInState(
    stateDirectory,
    (notice) => reporter.log(notice),
    () => keepPruneState(copyStateFolder(repositoryStateFolder(stateDirectory, source), copy), state),
  );
}

/**
 * Prunes each copy by its own retention, one after the other; what fails in one does not stop the others. One without a retention of its own
 * keeps what the repository keeps: it is left alone where that was not pruned (`ofRepository`), for the next `copy` would bring everything back.
 */
export async function pruneCopies(prune: Prune, ofRepository: NightlyStep['status'], context: Context): Promise<Outcome> {
  const ends: ({ readonly name: string } & Outcome)[] = [];
  for (const { name, retention, prune: isWanted } of context.settings.copies) {
    const isFollowing = retention === undefined && ofRepository !== 'ok' && ofRepository !== 'partial';
    const reason = isFollowing ? 'it keeps what the repository keeps, which was not pruned' : 'switched off (copies.prune)';
    const isLeft = isFollowing || isWanted === false;
    ends.push({ name, ...(isLeft ? { status: 'skipped', message: reason } : await pruneCopy(prune, name, context)) });
  }
  const tried = ends.filter(({ status }) => status !== 'skipped');
  const isBad = tried.some(({ status }) => status !== 'ok');
  const isFailed = isBad && tried.every(({ status }) => status === 'failed');
  const status = tried.length === 0 ? 'skipped' : isFailed ? 'failed' : isBad ? 'partial' : 'ok';
  return { status, message: ends.map(({ name, message }) => `${name}: ${message}`).join('; ') };
}

async function pruneCopy(prune: Prune, name: string, context: Context): Promise<Outcome> {
  const settings = settingsOfCopy(name, context.settings);
  const absent = absentPruneKey(settings);
  if (absent !== undefined) return { status: 'skipped', message: `the key for it, ${absent}, is not on this server now` };
  try {
    const { status, units, bytes } = await prune({ wait: limitsOf(settings).wait }, { ...context, settings });
    const deleted = units.reduce((sum, unit) => sum + unit.deleted, 0);
    const left = units.find((unit) => unit.status !== 'ok');
    const outcome = `${deleted} snapshots deleted, ${bytes} bytes freed`;
    return { status, message: left === undefined ? outcome : `${outcome}; nothing of ${left.unit} (${left.status})` };
  } catch (error) {
    const { code, message, affected } = asFailure(error);
    if (code === 'cancelled') throw error;
    context.reporter.log({ level: 'error', code, message: `prune of the copy ${name}: ${message}`, affected });
    return { status: 'failed', message };
  }
}
