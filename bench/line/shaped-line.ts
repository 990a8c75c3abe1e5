import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../core/repository/backends/open-store.ts';
import { Ceph } from '../../test/object-stores/ceph.ts';
import { LINE_RATE, NetworkHost, type OfferedPort } from '../../test/object-stores/network-host.ts';
import { SshServer } from '../../test/object-stores/ssh-server.ts';
import type { Command } from '../measure.ts';

/** Each way, in milliseconds. */
const DELAY = 50;
export const LINE_BYTES_PER_SECOND = LINE_RATE / 8;

export type StoreName = 's3' | 'sftp';

/** A distant server of S3 and one of SFTP, at the other end of a line of 100 Mbit/s and 50 ms each way. */
export class ShapedLine {
  readonly ceph: Ceph;
  readonly ssh: SshServer;
  readonly #host: NetworkHost;
  readonly #ports: Readonly<Record<StoreName, OfferedPort>>;
  readonly knownHostsFile: string;

  private constructor(ceph: Ceph, ssh: SshServer, host: NetworkHost, ports: Readonly<Record<StoreName, OfferedPort>>) {
    this.ceph = ceph;
    this.ssh = ssh;
    this.#host = host;
    this.#ports = ports;
    this.knownHostsFile = join(ssh.folder, 'known_hosts_of_line');
    const key = readFileSync(join(ssh.folder, 'host.pub'), 'utf8');
    writeFileSync(this.knownHostsFile, `[${host.address}]:${ports.sftp.port} ${key}`);
    mkdirSync(this.folderOfSftp);
  }

  static async start(): Promise<ShapedLine> {
    const started: { stop(): Promise<void> }[] = [];
    try {
      const host = await NetworkHost.start(0);
      started.push(host);
      await host.shape('rate');
      const ceph = await Ceph.start();
      started.push(ceph);
      const ssh = await SshServer.start();
      started.push(ssh);
      await warmUp(ceph);
      const s3 = await host.offer(Number(new URL(ceph.endpoint).port), DELAY);
      return new ShapedLine(ceph, ssh, host, { s3, sftp: await host.offer(ssh.port, DELAY) });
    } catch (error) {
      for (const each of started) await each.stop();
      throw error;
    }
  }

  /** Where both are reached over the line. */
  get address(): string {
    return this.#host.address;
  }

  portOf(store: StoreName): number {
    return this.#ports[store].port;
  }

  /** On the server of SFTP. */
  get folderOfSftp(): string {
    return join(this.ssh.folder, 'stored');
  }

  /** The same command at this end of the line. */
  atThisEnd(command: Command): Command {
    return { ...command, ...this.#host.there(command.program, command.args) };
  }

  /** What went to both servers and came from them so far, in bytes. */
  get passed(): { readonly sent: number; readonly received: number } {
    const { s3, sftp } = this.#ports;
    return { sent: s3.sent + sftp.sent, received: s3.received + sftp.received };
  }

  async stop(): Promise<void> {
    await this.#host.stop();
    await this.ssh.stop();
    await this.ceph.stop();
  }
}

/** The first upload in several parts has the gateway make what it keeps them in, which takes seconds: a store that is in use has done that. */
async function warmUp({ endpoint, credentialsFile }: Ceph): Promise<void> {
  const store = await openStore({ repository: `s3:${endpoint}/warm-up`, s3: { credentialsFile }, sftp: {}, rclone: {} });
  await store.prepare();
  const writer = await store.create('object');
  await writer.write(Buffer.alloc(9 * 1024 * 1024));
  await writer.commit();
}
