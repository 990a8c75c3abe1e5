import { Failure } from '../../failure.ts';
import { runPath, SERVER_FILE, serverFolder, UNITS_FOLDER } from '../layout.ts';
import { thisMachine } from '../machine.ts';
import type { Place } from '../opened-place.ts';
import type { LogLink } from '../run-record.ts';
import { readServerState } from '../server-state.ts';
import { readSeenRuns } from './seen.ts';

/** The newest run of the server that this machine is as its state says, when nothing of that server is in the repository any more. Told. */
export async function lostServer({ backend, stateFolder, whoFolder, notify }: Place): Promise<LogLink | undefined> {
  const state = readServerState(whoFolder);
  if (state === undefined || state.machine !== thisMachine().machine) return undefined;
  const { head } = readSeenRuns(stateFolder, state.server);
  const folder = serverFolder(state.server);
  if (head === undefined || (await backend.size(`${folder}/${SERVER_FILE}`)) !== undefined) return undefined;
  if ((await backend.folders(`${folder}/${UNITS_FOLDER}`)).length > 0) return undefined;
  const { code, message, affected } = serverMissing(state.server, `${folder}/${runPath(head.id)}`);
  notify({ level: 'error', code, message, affected });
  return head;
}

function serverMissing(server: string, run: string): Failure {
  const message = `all backups of this server, ${server}, are gone: they were taken away, or a state of the repository from before them was put back`;
  return new Failure('history_missing', message, { affected: [server, run] });
}
