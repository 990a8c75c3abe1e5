import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { execa, type ResultPromise } from 'execa';
import { freePorts } from './free-ports.ts';

const DAEMON = { reject: false, stdio: 'ignore', detached: true } as const;

/** OpenSSH's server on loopback, for SFTP alone, with keys of its own. */
export class SshServer {
  /** Where only root may write, as sshd asks of a folder that it shuts users in. */
  readonly folder = mkdtempSync('/run/sshd-test-');
  readonly user: string;
  port = 0;
  #process: ResultPromise<typeof DAEMON> | undefined;
  readonly #options: (folder: string) => readonly string[];
  readonly #subsystem: string;

  /** @param options further lines of its settings, by its folder; the line `subsystem` says which program answers */
  private constructor(user: string, options: (folder: string) => readonly string[], subsystem: string) {
    this.user = user;
    this.#options = options;
    this.#subsystem = subsystem;
  }

  static async start(
    user = 'root',
    options: (folder: string) => readonly string[] = () => [],
    subsystem = 'Subsystem sftp internal-sftp',
  ): Promise<SshServer> {
    const server = new SshServer(user, options, subsystem);
    chmodSync(server.folder, 0o755);
    for (const name of ['host', 'client']) {
      await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(server.folder, name)]);
    }
    [server.port = 0] = await freePorts(1);
    writeFileSync(server.knownHostsFile, `[127.0.0.1]:${server.port} ${readFileSync(join(server.folder, 'host.pub'), 'utf8')}`);
    await server.restart();
    return server;
  }

  get identityFile(): string {
    return join(this.folder, 'client');
  }

  get knownHostsFile(): string {
    return join(this.folder, 'known_hosts');
  }

  /** Starts it, after it was stopped too: its key and its port stay. */
  async restart(): Promise<void> {
    const { folder, port } = this;
    if (!existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
    const settings = [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${folder}/host`,
      `AuthorizedKeysFile ${folder}/client.pub`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      `PidFile ${folder}/pid`,
      'MaxStartups 100',
      this.#subsystem,
      ...this.#options(folder),
    ];
    writeFileSync(join(folder, 'settings'), `${settings.join('\n')}\n`);
    this.#process = execa('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'settings')], DAEMON);
    const end = Date.now() + 30_000;
    while (!(await answers(port))) {
      if (Date.now() > end) throw new Error('sshd does not answer');
      await wait(50);
    }
  }

  /** Ends it and all its sessions at once. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running?.pid === undefined) return;
    await execa('pkill', ['-KILL', '-P', `${running.pid}`], { reject: false });
    try {
      process.kill(-running.pid, 'SIGKILL');
    } catch {
      // It had ended.
    }
    await running;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
