import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { asFailure, Failure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import { serverDocument } from './documents.ts';
import type { RepositoryIdentity, ServerIdentity } from './identity.ts';
import { isServerId, newServerId } from './ids.ts';
import { SERVER_FILE, SERVERS_FOLDER, serverFolder } from './layout.ts';
import type { Notify } from './notice.ts';
import { FORMAT_VERSION } from './record.ts';
import { readDocument, writeDocument } from './stored-document.ts';

/** What the state directory remembers: under which id this machine writes. */
interface ServerState {
  readonly server: string;
  readonly machine: string;
}

/**
 * A digest that stays the same for this machine: of /etc/machine-id, which itself is confidential (machine-id(5)), or of the
 * host name where there is none.
 */
export function machineDigest(): string {
  let id: string;
  try {
    id = readFileSync('/etc/machine-id', 'latin1').trim();
  } catch {
    id = '';
  }
  return createHash('sha256')
    .update(`apiscp-backup machine ${id === '' ? hostname() : id}`)
    .digest('hex');
}

function readState(stateFolder: string): ServerState | undefined {
  try {
    const { server, machine } = JSON.parse(readFileSync(join(stateFolder, SERVER_FILE), 'utf8')) as Record<string, unknown>;
    return typeof server === 'string' && isServerId(server) && typeof machine === 'string' ? { server, machine } : undefined;
  } catch {
    // Lost or unreadable: the repository says it, too.
    return undefined;
  }
}

/** The servers that write to a repository; damaged ones are reported and left out. */
export async function readServers(backend: Backend, repository: RepositoryIdentity, notify: Notify): Promise<ServerIdentity[]> {
  const servers: ServerIdentity[] = [];
  for (const id of (await backend.folders(SERVERS_FOLDER)).filter(isServerId)) {
    const name = `${serverFolder(id)}/${SERVER_FILE}`;
    try {
      const { value } = await readDocument(backend, serverDocument, name);
      if (value.server === id && value.repository === repository.id) servers.push(value);
      else throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
    } catch (error) {
      const { code, message, affected } = asFailure(error);
      notify({ level: 'error', code, message, affected });
    }
  }
  return servers;
}

/** The id below which this machine has written before, as its state or else the repository knows it. */
async function knownServer(
  backend: Backend,
  repository: RepositoryIdentity,
  stateFolder: string,
  notify: Notify,
): Promise<string | undefined> {
  const machine = machineDigest();
  const state = readState(stateFolder);
  // The state of a cloned machine names the server that it was cloned from, which goes on writing below that id.
  if (state?.machine === machine) return state.server;
  const own = (await readServers(backend, repository, notify)).filter((server) => server.machine === machine);
  const [first] = own;
  if (first === undefined || own.length > 1) return undefined;
  notify({
    level: 'warning',
    code: 'state_lost',
    message: `the state directory does not know this server; going on as server ${first.server} (${first.name}), as the repository does`,
    affected: [first.server],
  });
  return first.server;
}

/** The id below which this machine writes; a machine that was never here before gets one. */
export async function establishServer(
  backend: Backend,
  repository: RepositoryIdentity,
  stateFolder: string,
  notify: Notify,
): Promise<string> {
  const machine = machineDigest();
  const server = (await knownServer(backend, repository, stateFolder, notify)) ?? newServerId();
  const name = `${serverFolder(server)}/${SERVER_FILE}`;
  if ((await backend.size(name)) === undefined) {
    await writeDocument(backend, serverDocument, name, {
      formatVersion: FORMAT_VERSION,
      repository: repository.id,
      server,
      name: hostname(),
      machine,
      created: new Date().toISOString(),
    });
  }
  if (readState(stateFolder)?.server !== server || readState(stateFolder)?.machine !== machine) {
    replaceFile(join(stateFolder, SERVER_FILE), Buffer.from(`${JSON.stringify({ server, machine })}\n`));
  }
  return server;
}

/**
 * The server whose snapshots are meant when nothing is going to be written: this machine, or the only one there is (a new
 * machine that replaces a lost one). An id that nothing is stored under when there is no telling.
 */
export async function chooseServer(backend: Backend, repository: RepositoryIdentity, stateFolder: string, notify: Notify): Promise<string> {
  const known = await knownServer(backend, repository, stateFolder, notify);
  if (known !== undefined) return known;
  const [only, ...others] = await readServers(backend, repository, notify);
  if (only === undefined || others.length > 0) return newServerId();
  notify({
    level: 'warning',
    code: 'server_foreign',
    message: `this machine has no backups here; showing those of server ${only.server} (${only.name}), the only one`,
    affected: [only.server],
  });
  return only.server;
}
