import { createConnection, type Socket } from 'node:net';
import { Client, type SFTPWrapper } from 'ssh2';
import type { Location } from '../../../config/location.ts';
import { readPrivateFile } from '../../../config/private-file.ts';
import type { Settings } from '../../../config/settings-type.ts';
import { Failure } from '../../../failure.ts';
import { type HostKey, keyChanged, knownHostKeys } from './host-keys.ts';
import { sftpFailure } from './sftp-failure.ts';

export type SftpLocation = Extract<Location, { kind: 'sftp' }>;
export type SftpSettings = Settings['sftp'];

const PORT = 22;
/** In milliseconds. */
const CONNECT_WITHIN = 20_000;
const SILENT_FOR = 60_000;

const DEFAULTS = { identityFile: '/root/.ssh/id_ed25519', knownHostsFile: '/root/.ssh/known_hosts' };

/** A session, and the socket that it goes through. */
export interface Session {
  readonly sftp: SFTPWrapper;
  readonly socket: Socket;
}

/** A session with a server, begun when it is first needed and again when it was lost. */
export class SftpConnection {
  readonly description: string;
  /** The folder of the repository on the server. */
  readonly root: string;
  readonly #location: SftpLocation;
  readonly #settings: SftpSettings;
  #session: Promise<Session> | undefined;

  constructor(location: SftpLocation, settings: SftpSettings) {
    const { user, host, port, path } = location;
    this.root = path.replace(/\/+$/, '') || '/';
    this.description = `sftp:${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}:${path}`;
    this.#location = location;
    this.#settings = settings;
  }

  /** The session as it is now; a new one when the last was lost. */
  session(): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    const session = this.#connect();
    this.#session = session;
    session.catch(() => {
      if (this.#session === session) this.#session = undefined;
    });
    return session;
  }

  async #connect(): Promise<Session> {
    const { user = 'root', host, port = PORT } = this.#location;
    const { identityFile = DEFAULTS.identityFile, knownHostsFile = DEFAULTS.knownHostsFile, agent } = this.#settings;
    const keys = await knownHostKeys(host, port, knownHostsFile);
    const key = agent === undefined ? { privateKey: `${readPrivateFile(identityFile)}\n` } : { agent };
    const client = new Client();
    const socket = createConnection(port, host);
    // Whoever is silent for so long while somebody waits is not there any more.
    socket.setTimeout(SILENT_FOR, () => socket.destroy());
    let isOther = false;
    return await new Promise<Session>((resolve, reject) => {
      const lost = (error: unknown): void => reject(isOther ? keyChanged(host) : sftpFailure(this.description, error));
      client.on('error', lost);
      client.on('close', () => {
        this.#session = undefined;
        lost(new Error('the connection was closed'));
      });
      client.on('ready', () => {
        client.setNoDelay(true);
        client.sftp((error, sftp) => {
          if (error !== undefined) return lost(error);
          // From here on it keeps the program from ending while somebody waits for an answer, and no longer.
          socket.unref();
          return resolve({ sftp, socket });
        });
      });
      client.connect({
        sock: socket,
        username: user,
        ...key,
        readyTimeout: CONNECT_WITHIN,
        keepaliveInterval: 0,
        // The known key may be of another type than the one that both sides would like best.
        algorithms: { serverHostKey: keyTypes(keys) as never },
        hostVerifier: (shown: Buffer) => {
          isOther = !keys.some(({ blob }) => blob.equals(shown));
          return !isOther;
        },
      });
    });
  }
}

/** The names of algorithms by which keys of these types are shown. */
function keyTypes(keys: readonly HostKey[]): string[] {
  const names = keys.flatMap(({ type }) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]));
  const known = new Set([
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ]);
  const usable = [...new Set(names)].filter((name) => known.has(name));
  if (usable.length > 0) return usable;
  throw new Failure('repository_refused', `of the known keys of the host this program can check none (${names.join(', ')})`);
}
