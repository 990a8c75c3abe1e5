import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSettings } from '../config/databases.ts';
import { asFailure, Failure } from '../failure.ts';
import type { ChildWatch } from './child.ts';
import type { DatabaseServer } from './database-server.ts';
import { ENGINE_NAMES, type Engine } from './engine.ts';
import { MysqlServer } from './mysql-server.ts';
import { PostgresqlServer } from './postgresql-server.ts';

/** What became of the search for a server: there is none; or it should be there, and cannot be asked. */
export type FoundServer = { readonly server: DatabaseServer } | { readonly failure: Failure } | undefined;

/** Where a server is looked for. */
interface Search {
  readonly settings: DatabaseSettings;
  /** The folder that stands for `/`. */
  readonly systemRoot: string;
  /** Whether the backups before had databases of it. */
  readonly isExpected: boolean;
}

/**
 * Looks for the server of an engine. One that is expected is missed when it does not answer; so it is where its data lie, or the settings
 * name it.
 */
export async function findServer(engine: Engine, { settings, systemRoot, isExpected }: Search, watch: ChildWatch): Promise<FoundServer> {
  const { sockets, isNamed, credentials } = settings[engine];
  const { port } = settings.postgresql;
  const fileOf = (socket: string): string => (engine === 'mysql' ? socket : join(socket, `.s.PGSQL.${port}`));
  const socket = sockets.find((each) => existsSync(fileOf(each)));
  if (socket === undefined && !isNamed && !isExpected && !hasData(engine, systemRoot)) return undefined;
  try {
    const place = { socket: socket ?? (sockets[0] as string), credentials };
    return { server: await (engine === 'mysql' ? MysqlServer.connect(place, watch) : PostgresqlServer.connect({ ...place, port }, watch)) };
  } catch (error) {
    return { failure: unreachable(engine, error, watch) };
  }
}

/** What is told of a server that refused an answer. Throws what was thrown when it was not the server. */
export function unreachable(engine: Engine, thrown: unknown, { signal }: ChildWatch): Failure {
  const { code, message } = asFailure(thrown);
  if (code !== 'database_unreachable' || signal.aborted) throw thrown;
  return new Failure(code, `${ENGINE_NAMES[engine]} does not let the backup in: ${message}`, { cause: thrown, retry: true });
}

/** Whether a server of this engine has its data here. */
function hasData(engine: Engine, systemRoot: string): boolean {
  if (engine === 'mysql') return existsSync(join(systemRoot, 'var/lib/mysql/mysql'));
  const folder = join(systemRoot, 'var/lib/pgsql');
  return ['', ...namesIn(folder)].some((version) => existsSync(join(folder, version, 'data/PG_VERSION')));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
