import { createConnection, type Socket } from 'node:net';
import ssh2, { type SFTPWrapper } from 'ssh2';
import type { Location } from '../../../config/location.ts';
import { readPrivateFile } from '../../../config/private-file.ts';
import type { Settings } from '../../../config/settings-type.ts';
import { Failure } from '../../../failure.ts';
import { whileWanted } from '../operation.ts';
import { type HostKey, keyChanged, knownHostKeys } from './host-keys.ts';
import { sftpFailure } from './sftp-failure.ts';
import { widenWindow } from './window.ts';

export type SftpLocation = Extract<Location, { kind: 'sftp' }>;
export type SftpSettings = Settings['sftp'];

const PORT = 22;
/** How long is waited for a server, in milliseconds. */
export interface Waits {
  readonly connect: number;
  /** A connection on which nothing comes or goes for so long is given up. */
  readonly silent: number;
  /** The same where only signs of life come, and no answer: a server whose disk hangs gives these. */
  readonly unanswered: number;
}

const USUAL_WAITS: Waits = { connect: 20_000, silent: 60_000, unanswered: 180_000 };

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
  readonly waits: Waits;
  #session: Promise<Session> | undefined;

  constructor(location: SftpLocation, settings: SftpSettings, waits = USUAL_WAITS) {
    this.waits = waits;
    const { user, host, port, path } = location;
    this.root = path.replace(/\/+$/, '') || '/';
    const name = host.includes(':') ? `[${host}]` : host;
    this.description = `sftp:${user === undefined ? '' : `${user}@`}${name}${port === undefined ? '' : `:${port}`}:${path}`;
    this.#location = location;
    this.#settings = settings;
  }

  /** The session as it is now; a new one when the last was lost. */
  session(): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    const session = this.#connect(() => {
      // Another may have been begun meanwhile.
      if (this.#session === session) this.#session = undefined;
    });
    this.#session = session;
    return session;
  }

  /** `onEnd` is called when it is lost, or did not come about. */
  async #connect(onEnd: () => void): Promise<Session> {
    try {
      return await this.#begin(onEnd);
    } catch (error) {
      onEnd();
      throw error;
    }
  }

  async #begin(onEnd: () => void): Promise<Session> {
    const { user = 'root', host, port = PORT } = this.#location;
    const { identityFile = DEFAULTS.identityFile, knownHostsFile = DEFAULTS.knownHostsFile, agent } = this.#settings;
    const keys = await knownHostKeys(host, port, knownHostsFile);
    const key = agent === undefined ? { privateKey: readIdentity(identityFile) } : { agent };
    const serverHostKey = keyTypes(keys);
    const client = new ssh2.Client();
    const socket = createConnection(port, host);
    let isOther = false;
    return await whileWanted(
      (signal) =>
        new Promise<Session>((resolve, reject) => {
          const lost = (error: unknown): void => {
            clearTimeout(late);
            // What did not come about is left to nobody: each attempt would leave a connection behind.
            socket.destroy();
            reject(isOther ? keyChanged(host) : sftpFailure(this.description, error));
          };
          const late = setTimeout(() => lost(new Error('it began no session in time')), 2 * this.waits.connect);
          signal.addEventListener('abort', () => lost(new Error('it was not waited for any longer')), { once: true });
          client.on('error', lost);
          client.on('close', () => {
            onEnd();
            lost(new Error('the connection was closed'));
          });
          client.on('ready', () => {
            client.setNoDelay(true);
            client.sftp((error, sftp) => {
              if (error !== undefined) return lost(error);
              clearTimeout(late);
              // Whoever is silent for so long while somebody waits is not there any more.
              socket.setTimeout(this.waits.silent, () => socket.destroy());
              widenWindow(client, sftp);
              // A session can end and leave the connection.
              sftp.once('close', () => {
                onEnd();
                client.destroy();
              });
              // From here on it keeps the program from ending while somebody waits for an answer, and no longer.
              socket.unref();
              return resolve({ sftp, socket });
            });
          });
          client.connect({
            sock: socket,
            username: user,
            ...key,
            // Nothing else is tried: each way takes its time.
            authHandler: [agent === undefined ? 'publickey' : 'agent'],
            readyTimeout: this.waits.connect,
            keepaliveInterval: 0,
            // The known key may be of another type than the one that both sides would like best.
            algorithms: { serverHostKey: serverHostKey as never },
            hostVerifier: (shown: Buffer) => {
              isOther = !keys.some(({ blob }) => blob.equals(shown));
              return !isOther;
            },
          });
        }),
    );
  }
}

/** A private key without a passphrase. Throws `invalid_settings`. */
function readIdentity(file: string): string {
  const text = `${readPrivateFile(file)}\n`;
  const refuse = (reason: string): Failure => {
    const advice = 'Name a private key without a passphrase as `identityFile` in the setting `sftp`, or an agent that has it as `agent`.';
    return new Failure('invalid_settings', `${file} cannot be used: ${reason}`, { affected: [file], advice });
  };
  const parsed = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) throw refuse(/encrypted/i.test(parsed.message) ? 'it has a passphrase' : 'it is no key that is known here');
  if (![parsed].flat().some((key) => key.isPrivateKey())) throw refuse('it is the public part of a key');
  return text;
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
