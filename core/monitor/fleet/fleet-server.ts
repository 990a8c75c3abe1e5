import type { Notice, Notify } from '../../context/notice.ts';
import { asFailure } from '../../failure.ts';
import type { IdentitySource } from '../../repository/keys/identity-source.ts';
import { ServerKeys } from '../../repository/keys/server-keys.ts';
import { readServer } from '../../repository/known-servers.ts';
import type { Place } from '../../repository/opened-place.ts';
import { Repository } from '../../repository/repository.ts';
import { shownFingerprint } from '../../repository/signatures/signatures.ts';
import type { FleetProblem, FleetServer } from '../../schemas/fleet.ts';
import { readUnits } from './read-units.ts';
import { listStored } from './stored-objects.ts';
import { judgeUnits } from './unit-verdicts.ts';

/** Problems of one server that are named; all are counted. */
const NAMED = 100;

/** How servers are looked at. */
export interface FleetLook {
  /** The present time; what was backed up last before `since` is overdue. Milliseconds since 1970. */
  readonly now: number;
  readonly since: number;
  readonly sizes: boolean;
  /** What to read with, besides what the state directory has. */
  readonly identity: IdentitySource;
}

/** Of a server of which nothing can be told. */
const NOTHING = {
  ...{ lastRun: null, units: 0, failed: 0, overdue: 0, incomplete: 0, oldest: null, size: null, stored: null, verified: null },
  ...{ keys: [], problems: [], problemCount: 0 },
};

/**
 * How the backups of one server stand, as its records in the repository tell; undefined when nothing was stored there. Never throws: what went wrong is
 * the `error` of the server.
 */
export async function lookAtServer(id: string, open: (notify: Notify) => Place, look: FleetLook): Promise<FleetServer | undefined> {
  const notices: Notice[] = [];
  try {
    return await tell(
      id,
      open((notice) => notices.push(notice)),
      notices,
      look,
    );
  } catch (error) {
    const { code, message } = asFailure(error);
    const status = code === 'repository_damaged' ? 'damaged' : 'failed';
    return { ...NOTHING, server: id, name: id, status, error: { code, message } };
  }
}

/** A server of which this machine saw runs, and of which nothing is there any more. */
export function goneServer(server: string, stateFolder: string): FleetServer {
  const message = `this machine saw its runs, and nothing of it is there any more. When that was meant: rm ${stateFolder}/seen/${server}.json`;
  const problems: FleetProblem[] = [{ code: 'history_missing', unit: null, message }];
  return { ...NOTHING, server, name: server, status: statusOf(problems), problems, problemCount: 1, error: null };
}

/** Says of a server that went silent which one of its name goes on: a machine that was installed anew is a new server. */
export function withSuccessors(servers: readonly FleetServer[]): FleetServer[] {
  return servers.map((server) => {
    const { name, lastRun, problems } = server;
    const later = servers.filter(
      (other) => other.name === name && other.server !== server.server && (other.lastRun ?? '') > (lastRun ?? ''),
    );
    const successor = later.sort((a, b) => ((a.lastRun ?? '') < (b.lastRun ?? '') ? 1 : -1))[0];
    if (successor === undefined) return server;
    const hint = `; ${successor.server} has the same name, and its last run is of ${successor.lastRun}`;
    const isSilent = ({ code, unit }: FleetProblem): boolean => unit === null && (code === 'overdue' || code === 'no_run');
    return { ...server, problems: problems.map((each) => (isSilent(each) ? { ...each, message: each.message + hint } : each)) };
  });
}

async function tell(server: string, place: Place, notices: readonly Notice[], look: FleetLook): Promise<FleetServer | undefined> {
  const before = new Set(place.signatures.trusted(server));
  const known = await readServer(place, server);
  if (known === undefined) return undefined;
  const repository = new Repository(place, server, false, new ServerKeys(place, server, { source: look.identity }));
  const read = await readUnits(repository, look.since, look.now);
  const stored = look.sizes ? await listStored(repository, read.units) : null;
  const { problems: ofUnits, ...verdict } = judgeUnits(read, look.since);
  const told = [...(known.problem === undefined ? [] : [known.problem]), ...notices.filter(({ level }) => level === 'error')];
  const problems = [...told.map(problemOf), ...ofUnits];
  const { keys } = await place.signatures.believe(server);
  return {
    ...{ server, name: known.writer.name, status: statusOf(problems), ...verdict, stored },
    keys: [...keys].map((key) => ({ fingerprint: shownFingerprint(key), known: before.has(key) })),
    problems: problems.slice(0, NAMED),
    problemCount: problems.length,
    error: null,
  };
}

/** What was told while the records were read. */
function problemOf({ code, message }: Pick<Notice, 'code' | 'message'>): FleetProblem {
  const kind = code === 'history_missing' ? code : code === 'repository_damaged' ? 'damaged' : 'unclear';
  return { code: kind, unit: null, message };
}

function statusOf(problems: readonly FleetProblem[]): FleetServer['status'] {
  if (problems.some(({ code }) => code === 'damaged' || code === 'history_missing')) return 'damaged';
  return problems.length > 0 ? 'partial' : 'ok';
}
