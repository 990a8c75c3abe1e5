import type { Context } from '../context/context.ts';
import { Failure } from '../failure.ts';
import { takeLock } from '../locks/locks.ts';
import { timeOfId } from '../repository/ids.ts';
import { type KnownServer, namedServer, readServers } from '../repository/known-servers.ts';
import { openPlace } from '../repository/open-repository.ts';
import type { Place } from '../repository/opened-place.ts';
import { runIds, takeOver } from '../repository/server-identity.ts';
import { prepareStateDirectory } from '../repository/state-directory.ts';
import type { AdoptRequest, AdoptResult } from '../schemas/adopt.ts';

/** A server that made no backup and was not taken over for so long has ended, or is known to have: two nights, in milliseconds. */
const SILENCE = 2 * 24 * 60 * 60 * 1000;

/**
 * Makes this machine the continuation of a server: the one that takes the place of a lost machine goes on with its backups. A machine
 * that wrote as it before is refused from then on. Throws `server_unknown`, `needs_confirmation` while the server still runs.
 */
export async function adopt(request: AdoptRequest, context: Context): Promise<AdoptResult> {
  const { settings, reporter } = context;
  const place = await openPlace(settings, (notice) => reporter.log(notice));
  const server = namedServer(request.server, await readServers(place));
  if (request.yes !== true) await requireSilence(server, place, context);
  prepareStateDirectory(settings.stateDirectory);
  const lock = takeLock(settings.stateDirectory, 'backup', 'an adoption');
  try {
    await takeOver(place, server, context.now());
  } finally {
    lock.release();
  }
  return { status: 'ok', server: server.identity.server, name: server.writer.name };
}

async function requireSilence({ identity, writer, since }: KnownServer, { backend }: Place, { now }: Context): Promise<void> {
  const last = (await runIds(backend, identity.server)).at(-1);
  // A machine that has just taken over, or just begun, will make its first backup soon.
  const seen = Math.max(Date.parse(since), last === undefined ? 0 : timeOfId(last).getTime());
  if (seen < now().getTime() - SILENCE) return;
  const sign = last === undefined || timeOfId(last).getTime() < seen ? 'it began' : 'its last backup was';
  throw new Failure('needs_confirmation', `${writer.name} still runs as ${identity.server}: ${sign} at ${new Date(seen).toISOString()}`, {
    affected: [identity.server],
    advice: 'Two machines must not write as one server. If that machine is gone for good, or is this one, confirm with --yes.',
  });
}
