import type { Context } from '../context/context.ts';
import { timeOfId } from '../repository/ids.ts';
import { type KnownServer, readServers } from '../repository/known-servers.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { runIds } from '../repository/server-identity.ts';
import type { ServerSummary, ServersRequest, ServersResult } from '../schemas/servers.ts';

/** The servers that have backups in the repository, by age. */
export async function servers(_request: ServersRequest, { settings, reporter }: Context): Promise<ServersResult> {
  const repository = await openRepository(settings, 'read', (notice) => reporter.log(notice));
  const known = await readServers(repository.backend, repository.identity, repository.notify);
  return { servers: await Promise.all(known.map((server) => summarize(server, repository))) };
}

async function summarize({ identity, writer, since }: KnownServer, repository: Repository): Promise<ServerSummary> {
  const { server, created } = identity;
  const runs = await runIds(repository.backend, server);
  const timeOf = (run: string | undefined): string | null => (run === undefined ? null : timeOfId(run).toISOString());
  return {
    ...{ server, name: writer.name, here: repository.isOwn && repository.server === server },
    ...{ machine: writer.machine, since, created, firstRun: timeOf(runs[0]), lastRun: timeOf(runs.at(-1)) },
    units: (await repository.ofServer(server).units.ids()).length,
  };
}
