import { hostname } from 'node:os';
import { accountSettingsOf } from '../config/notify.ts';
import type { Context } from '../context/context.ts';
import { asFailure } from '../failure.ts';
import { deliver } from '../notify/deliver.ts';
import type { Message } from '../notify/message.ts';
import { oneLine } from '../notify/plain-text.ts';
import { findLivingUnit } from '../panel/units.ts';
import { newTimedId, unitNameOf } from '../repository/ids.ts';
import { openRepository } from '../repository/open-repository.ts';
import { prepareStateDirectory } from '../repository/state-directory.ts';
import type { AccountResult } from '../schemas/account.ts';
import { leavingAccounts, noteLeaving } from '../timeline/leaving-accounts.ts';
import { resolveUnit } from '../timeline/resolve-unit.ts';
import { hold } from './hold.ts';
import { heldAsDeleted, REASON } from './hold-deleted.ts';
import type { BackUp } from './nightly.ts';

const MINUTE = 60_000;
/** What became of the backup: why it failed, or what it lacks. */
interface Attempt {
  readonly failure: string | undefined;
  readonly isPartial: boolean;
}

/**
 * Backs an account up once more before the panel deletes it, within the time that the setting `accounts.lastBackup` gives, and holds its newest
 * backup for `accounts.keepDeleted`. What fails stops no deletion, so people are told at once. The panel may say it twice, and when the files
 * are gone already: then its newest backup is held all the same. `minute` is how long one lasts, in milliseconds.
 */
export async function lastBackup(unit: string, backUp: BackUp, context: Context, minute = MINUTE): Promise<AccountResult> {
  const { lastBackup: minutes, keepDeleted } = accountSettingsOf(context.settings);
  prepareStateDirectory(context.settings.stateDirectory);
  const living = findLivingUnit(context.settings, unit);
  const isThere = living !== undefined && living.roots.length > 0;
  if (!isThere && isLeaving(unit, context))
    return { status: 'ok', message: 'its last backup is held', snapshot: null, until: null, job: null };
  // Whatever ends this process: what there is of an account that goes is held.
  const early = isThere ? await holdNewest(unit, keepDeleted, context).catch(() => undefined) : undefined;
  const attempt = isThere && minutes !== false ? await attemptFor({ minutes, minute }, unit, backUp, context) : notTried(isThere);
  const isWhole = attempt.failure === undefined && !attempt.isPartial;
  const held = await holdNewest(unit, keepDeleted, context, isWhole).catch((error: unknown) => ({ problem: asFailure(error).message }));
  const message = [attempt.failure, 'problem' in held ? held.problem : undefined].filter((each) => each !== undefined).join('; ');
  if (message !== '') await tell(unit, message, 'problem' in held ? early : held, context);
  if ('problem' in held) return { status: 'failed', message, snapshot: early?.snapshot ?? null, until: early?.until ?? null, job: null };
  const done = attempt.isPartial ? 'the last backup lacks something; `apiscp-backup list` names what' : 'the last backup was made';
  return { status: isWhole ? 'ok' : 'partial', message: message === '' ? done : message, ...held, job: null };
}

function notTried(isThere: boolean): Attempt {
  return { failure: isThere ? undefined : 'the panel told of its deletion when its files were gone', isPartial: false };
}

/** Whether the panel told of a deletion before. */
function isLeaving(unit: string, { settings }: Context): boolean {
  return leavingAccounts(settings.stateDirectory).some((account) => unitNameOf(account.unit) === unit);
}

async function attemptFor(
  { minutes, minute }: { readonly minutes: number; readonly minute: number },
  unit: string,
  backUp: BackUp,
  context: Context,
): Promise<Attempt> {
  const limit = AbortSignal.timeout(minutes * minute);
  const signal = AbortSignal.any([context.signal, limit]);
  try {
    const { units } = await backUp(
      // A night that is under way would take longer than the panel waits.
      { units: [unit as `site${string}`], level: 'incremental', wait: minutes, alone: true },
      { ...bounded(context), signal },
    );
    const [outcome] = units;
    const failure = outcome?.status === 'failed' ? `its last backup failed: ${outcome.error?.message ?? 'no reason is known'}` : undefined;
    return { failure, isPartial: outcome?.status === 'partial' };
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = limit.aborted ? `it took more than ${minutes} minutes` : asFailure(error).message;
    return { failure: `its last backup failed: ${reason}`, isPartial: false };
  }
}

/** A context can be copied once its settings are read. */
function bounded({ settings, settingsFile, reporter, now, machine }: Context): Omit<Context, 'signal'> {
  return { settings, settingsFile, reporter, now, ...(machine === undefined ? {} : { machine }) };
}

/**
 * Holds the newest backup of an account, once; and remembers that the account goes. With `isLast` an earlier one that is held for the same reason is
 * held no longer.
 */
async function holdNewest(
  unit: string,
  keep: string | false,
  context: Context,
  isLast = false,
): Promise<Pick<AccountResult, 'snapshot' | 'until'>> {
  const repository = await openRepository(context.settings, 'write', (notice) => context.reporter.log(notice));
  const { unit: id } = await resolveUnit(unit, repository, context);
  noteLeaving(context.settings.stateDirectory, { unit: id, at: context.now().getTime() });
  if (keep === false) return { snapshot: null, until: null };
  const before = await heldAsDeleted(id, repository);
  const { snapshot, until } = await hold({ snapshot: 'latest', unit: id, reason: REASON, until: keep }, context);
  const needless = before.filter((each) => isLast || each.snapshot === snapshot);
  // Where this server may delete nothing, they end by themselves.
  for (const { path } of needless) await repository.removeObject(path).catch((error: unknown) => repository.report(error));
  return { snapshot, until };
}

async function tell(
  unit: string,
  problem: string,
  held: Pick<AccountResult, 'snapshot' | 'until'> | undefined,
  context: Context,
): Promise<void> {
  const { domain } = findLivingUnit(context.settings, unit) ?? { domain: null };
  const name = domain === null ? unit : `${unit} (${domain})`;
  const subject = oneLine(`${hostname()}: ${name} is being deleted without a last backup`, 150);
  const kept =
    held?.snapshot === undefined || held.snapshot === null
      ? 'No backup of it is held.'
      : `Its backup ${held.snapshot} is held until ${held.until}.`;
  const text = `${oneLine(`${name}: ${problem}`, 500)}\n${kept}\nThe panel deletes the account all the same.\n`;
  const now = context.now();
  const message: Message = {
    id: `msg_${newTimedId(now)}`,
    type: 'backup.account',
    time: now.toISOString(),
    isUrgent: true,
    subject,
    text,
    short: oneLine(text, 300),
    data: { server: hostname(), unit, problem: oneLine(problem, 500), snapshot: held?.snapshot ?? null, until: held?.until ?? null },
  };
  await deliver(message, context);
}
