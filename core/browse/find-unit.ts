import type { Context } from '../context/context.ts';
import { asFailure, Failure } from '../failure.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { isTimedId, isUnitId } from '../repository/ids.ts';
import { type IdentitySource, requireSource } from '../repository/keys/identity-source.ts';
import { describeServer, readServers } from '../repository/known-servers.ts';
import { snapshotPath } from '../repository/layout.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { isCurrent, resolveUnit } from '../timeline/resolve-unit.ts';

/** Which unit a request means. */
export interface UnitRequest {
  readonly unit: string;
  /** The name or the id of another server than this one. */
  readonly server?: string | undefined;
  /** The account that had the name before. */
  readonly earlier?: boolean | undefined;
  /** What opens it, where it is encrypted. */
  readonly identity?: string | undefined;
  readonly passphraseFile?: string | undefined;
  /** When this is the id of a snapshot, whichever account of the name it is of. */
  readonly at?: string | undefined;
}

/** A unit, and the folder of the server that it belongs to. */
export interface FoundUnit {
  readonly repository: Repository;
  readonly unit: UnitIdentity;
}

/**
 * The unit that an administrator's request means, for reading. What this server has no backups of may be another's: on a machine that takes
 * the place of a lost one it is found under the lost one's name, and that is said. Throws `unit_unknown`, `server_unknown`.
 */
export async function findUnit(request: UnitRequest, context: Context): Promise<FoundUnit> {
  const { unit: name, server, earlier } = request;
  const repository = await openRepository(context.settings, 'read', (notice) => context.reporter.log(notice), {
    server,
    identity: await identitySource(request, context),
  });
  try {
    const named = await unitOfSnapshot(request, repository, context);
    return { repository, unit: named ?? (await resolveUnit(name, repository, context, earlier)) };
  } catch (error) {
    if (server !== undefined || earlier === true || asFailure(error).code !== 'unit_unknown') throw error;
    return await findElsewhere(name, repository, context, asFailure(error));
  }
}

/** The unit of the name that has the snapshot which the request names; undefined when it names none, or nobody has it. */
async function unitOfSnapshot(
  { unit: name, at, earlier }: UnitRequest,
  repository: Repository,
  context: Context,
): Promise<UnitIdentity | undefined> {
  if (at === undefined || !isTimedId(at) || isUnitId(name) || earlier === true) return undefined;
  const units = await repository.units.all(name);
  for (const unit of units) {
    if ((await repository.objectSize(snapshotPath(unit.unit, at))) === undefined) continue;
    const having = units.filter((other) => repository.units.joinedTo(other).includes(unit.unit));
    return having.find((other) => isCurrent(other, repository, context)) ?? having.at(-1) ?? unit;
  }
  return undefined;
}

/** Where the request says that the keys are. Throws `usage`, `identity_wrong` when they are not there. */
export async function identitySource(
  { identity, passphraseFile }: Pick<UnitRequest, 'identity' | 'passphraseFile'>,
  context: Context,
): Promise<IdentitySource> {
  const source = { identity, passphraseFile, input: context.standardInput };
  await requireSource(source);
  return source;
}

async function findElsewhere(name: string, own: Repository, context: Context, failure: Failure): Promise<FoundUnit> {
  const leftOut: Failure[] = [];
  const servers = await readServers({ ...own.place, notify: () => {} }, leftOut);
  const found: (FoundUnit & { readonly description: string })[] = [];
  for (const server of servers.filter(({ identity }) => identity.server !== own.server)) {
    const repository = own.ofServer(server.identity.server);
    try {
      found.push({ repository, unit: await resolveUnit(name, repository, context), description: describeServer(server) });
    } catch (error) {
      if (asFailure(error).code !== 'unit_unknown') throw error;
    }
  }
  const [only, ...others] = found;
  if (only === undefined) throw leftOut[0] ?? failure;
  if (others.length > 0) {
    const names = found.map(({ description }) => description);
    throw new Failure('unit_unknown', `this server has no backups of ${name}, but other servers do: ${names.join(', ')}`, {
      affected: [name],
      advice: 'Name the server with --server.',
    });
  }
  const message = `this server has no backups of ${name}; those of the server ${only.description} are used`;
  context.reporter.log({ level: 'warning', code: 'server_foreign', message, affected: [name] });
  return only;
}
