import { parseDuration } from '../../chain/duration.ts';
import { limitsOf } from '../../config/limits.ts';
import type { Context } from '../../context/context.ts';
import { Failure } from '../../failure.ts';
import { isAccountName } from '../../panel/accounts.ts';
import type { PanelUnit } from '../../panel/unit.ts';
import { timeOfId } from '../../repository/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RunRequest } from '../../schemas/run.ts';
import type { StoredOutput } from './throttled-output.ts';

/** What a run that an account's owner asked for may store. */
export interface Allowance {
  /** In bytes, from now on. */
  left: number;
}

function refused(message: string, affected: string, advice: string, retry = false): Failure {
  return new Failure('owner_limit', message, { affected: [affected], advice, retry });
}

/** Throws `usage` for anything but one account, `owner_limit` for a level that is the server's to take. */
export function checkOwnersRequest({ units = [], level = 'auto' }: RunRequest): void {
  const [unit, ...others] = units;
  if (unit === undefined || others.length > 0 || !isAccountName(unit)) {
    throw new Failure('usage', 'an owner’s request has to name the account, such as site12', { affected: units });
  }
  if (level === 'auto' || level === 'incremental') return;
  throw refused(`the level ${level} stores again what is stored already`, unit, 'Omit the level: what changed is backed up.');
}

/**
 * What an owner's run may store: a share of what is free where the repository is, as long as more than that share of it is free, so
 * that no owners together can fill it. Throws `owner_limit` when there is too little, or when the last run was a short while ago.
 */
export async function ownersAllowance({ name, incarnation }: PanelUnit, repository: Repository, context: Context): Promise<Allowance> {
  const { ownerInterval, ownerShare } = limitsOf(context.settings);
  const now = context.now();
  const instant = Temporal.Instant.fromEpochMilliseconds(now.getTime());
  const begin = instant.toZonedDateTimeISO('UTC').subtract(parseDuration(ownerInterval)).epochMilliseconds;
  const last = await lastRun({ name, incarnation }, repository, begin, now.getTime());
  if (last !== undefined) {
    const message = `${name} was backed up at ${new Date(last).toISOString()}, less than ${ownerInterval} ago`;
    throw refused(message, name, 'Ask again later. The server makes its own backups as well.', true);
  }
  const space = await repository.backend.space?.();
  if (space === undefined) return { left: Number.POSITIVE_INFINITY };
  if (space.free <= space.size * ownerShare) {
    throw refused('the remaining room is reserved for the backups of the server', name, 'Ask your host.', true);
  }
  return { left: space.free * ownerShare };
}

/** When the last run after `begin` that had the unit began, both in milliseconds since 1970. What an earlier customer of the name did is not this one's. */
async function lastRun(
  { name, incarnation }: Pick<PanelUnit, 'name' | 'incarnation'>,
  repository: Repository,
  begin: number,
  now: number,
): Promise<number | undefined> {
  const known = (await repository.units.known()).filter((unit) => unit.name === name);
  const others = new Set(known.filter((unit) => !repository.units.livesAs(unit, incarnation)).map(({ unit }) => unit));
  for (const id of (await repository.runs.ids()).reverse()) {
    const time = timeOfId(id).getTime();
    if (time > now) continue;
    if (time < begin) return undefined;
    const units = (await repository.runs.read(id))?.units ?? [];
    if (units.some((each) => each.name === name && !others.has(each.unit ?? '') && each.failure?.code !== 'locked')) return time;
  }
  return undefined;
}

/** The same objects, of which no more is written than is allowed: then the unit fails with `owner_limit`. */
export function withinAllowance(
  allowance: Allowance | undefined,
  throttled: (output: StoredOutput) => StoredOutput,
): (output: StoredOutput) => StoredOutput {
  if (allowance === undefined) return throttled;
  return (object) => {
    const output = throttled(object);
    return {
      write: async (chunk) => {
        allowance.left -= chunk.length;
        if (allowance.left >= 0) return output.write(chunk);
        throw new Failure('owner_limit', 'what changed takes more room than an owner’s backup may take', {
          advice: 'Wait for the backup of the server, or ask your host.',
        });
      },
      commit: () => output.commit(),
      abort: () => output.abort(),
    };
  };
}
