import { millisecondsBefore, parseDuration } from '../chain/duration.ts';
import type { Context } from '../context/context.ts';
import { Failure } from '../failure.ts';
import { goneServer, lookAtServer, withSuccessors } from '../monitor/fleet/fleet-server.ts';
import { seenServers } from '../repository/history/seen.ts';
import { isServerId } from '../repository/ids.ts';
import { SERVERS_FOLDER } from '../repository/layout.ts';
import { openPlaces } from '../repository/open-repository.ts';
import type { FleetServer, FleetStatusRequest, FleetStatusResult } from '../schemas/fleet.ts';
import { localTimeZone } from '../timeline/time-zone.ts';

/** A night may be missed by half a day before somebody is told. */
const OVERDUE_AFTER = '36 hours';
/** Servers that are looked at at a time: enough that a long way to the store costs little. */
const AT_ONCE = 8;

/** How the backups of all servers in a repository stand. Writes nothing there. Throws where the repository cannot be opened, and `usage`. */
export async function fleetStatus(request: FleetStatusRequest, context: Context): Promise<FleetStatusResult> {
  const { reporter, standardInput } = context;
  const { repository: named, overdueAfter = OVERDUE_AFTER, sizes = false, identity, passphraseFile } = request;
  const settings = named === undefined ? context.settings : { ...context.settings, repository: named };
  const open = await openPlaces(settings, (notice) => reporter.log(notice));
  const { backend, problem, stateFolder } = open((notice) => reporter.log(notice));
  const instant = Temporal.Instant.fromEpochMilliseconds(context.now().getTime());
  const since = millisecondsBefore(
    instant,
    parseDuration(overdueAfter),
    localTimeZone((notice) => reporter.log(notice)),
  );
  const look = { now: instant.epochMilliseconds, since, sizes, identity: { identity, passphraseFile, input: standardInput } };
  const found = (await backend.folders(SERVERS_FOLDER)).filter(isServerId);
  const servers = seenServers(stateFolder).flatMap((id) => (found.includes(id) ? [] : goneServer(id, stateFolder)));
  const ids = found.values();
  let done = 0;
  const total = { entriesTotal: found.length, bytes: 0, bytesTotal: 0 };
  const lookAtMore = async (): Promise<void> => {
    for (const id of ids) {
      const server = await lookAtServer(id, open, look);
      if (server !== undefined) servers.push(server);
      reporter.progress({ phase: 'status', unit: 'servers', entries: ++done, ...total });
      if (context.signal.aborted) throw new Failure('cancelled', 'stopped before all servers were looked at');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lookAtMore));
  servers.sort((a, b) => (a.name < b.name || (a.name === b.name && a.server < b.server) ? -1 : 1));
  const status = problem === undefined ? worstOf(servers) : 'damaged';
  return { status, time: instant.toString(), repository: settings.repository, servers: withSuccessors(servers) };
}

function worstOf(servers: readonly FleetServer[]): FleetStatusResult['status'] {
  const has = (wanted: FleetServer['status']): boolean => servers.some(({ status }) => status === wanted);
  if (servers.length > 0 && servers.every(({ status }) => status === 'failed')) return 'failed';
  if (has('damaged')) return 'damaged';
  return servers.every(({ status }) => status === 'ok') ? 'ok' : 'partial';
}
