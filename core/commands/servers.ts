import { doubtsResult } from '../browse/doubts.ts';
import type { Context } from '../context/context.ts';
import type { Notice } from '../context/notice.ts';
import { Failure } from '../failure.ts';
import { timeOfId } from '../repository/ids.ts';
import { type KnownServer, readServers } from '../repository/known-servers.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { runIds } from '../repository/server-identity.ts';
import { readAnnouncements } from '../repository/signatures/announcements.ts';
import { shownFingerprint } from '../repository/signatures/signatures.ts';
import { signedObjects, signersOf } from '../repository/signatures/signers.ts';
import { prepareStateDirectory } from '../repository/state-directory.ts';
import type { ServerSummary, ServersRequest, ServersResult } from '../schemas/servers.ts';

/** The servers that have backups in the repository, by age. Throws `usage` when none of them names the key that is to be trusted. */
export async function servers({ trust }: ServersRequest, { settings, reporter }: Context): Promise<ServersResult> {
  const repository = await openRepository(settings, 'read', (notice) => reporter.log(notice));
  if (trust !== undefined) await trustKey(trust, repository, settings.stateDirectory);
  const doubts: Notice[] = [];
  const known = await readServers({ ...repository.place, notify: (notice) => doubts.push(notice) });
  doubts.forEach(repository.place.notify);
  const found = await Promise.all(known.map((server) => summarize(server, repository)));
  return { ...doubtsResult(doubts), servers: found };
}

async function trustKey(fingerprint: string, { place }: Repository, stateDirectory: string): Promise<void> {
  const known = await readServers(place);
  for (const { identity } of known) {
    const { keys } = await readAnnouncements(place.backend, place.repository.id, identity.server);
    const key = keys.find((each) => shownFingerprint(each) === fingerprint);
    if (key === undefined) continue;
    prepareStateDirectory(stateDirectory);
    await place.signatures.trust(identity.server, [key]);
    return;
  }
  // What names it may be missing, damaged or exchanged.
  for (const { identity } of known) {
    for await (const { key } of signedObjects(place.backend, identity.server)) {
      if (shownFingerprint(key) !== fingerprint) continue;
      prepareStateDirectory(stateDirectory);
      await place.signatures.trust(identity.server, [key]);
      return;
    }
  }
  throw new Failure('usage', `no server of the repository names a key ${fingerprint} or has anything that it signed`, {
    affected: [fingerprint],
  });
}

async function keysOf(server: string, { place }: Repository): Promise<ServerSummary['keys']> {
  const { keys: named } = await readAnnouncements(place.backend, place.repository.id, server);
  const trusted = place.signatures.trusted(server);
  const keys = new Set([...named, ...trusted, ...(named.length === 0 ? await signersOf(place.backend, server) : [])]);
  return [...keys].map((key) => ({ fingerprint: shownFingerprint(key), known: trusted.includes(key) }));
}

async function summarize({ identity, writer, since }: KnownServer, repository: Repository): Promise<ServerSummary> {
  const { server, created } = identity;
  const runs = await runIds(repository.backend, server);
  const timeOf = (run: string | undefined): string | null => (run === undefined ? null : timeOfId(run).toISOString());
  return {
    ...{ server, name: writer.name, here: repository.isOwn && repository.server === server },
    ...{ machine: writer.machine, since, created, firstRun: timeOf(runs[0]), lastRun: timeOf(runs.at(-1)) },
    units: (await repository.ofServer(server).units.ids()).length,
    keys: await keysOf(server, repository),
  };
}
