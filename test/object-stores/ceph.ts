import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { execa } from 'execa';
import { freePorts } from './free-ports.ts';

const READY_WITHIN = 120_000;

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + READY_WITHIN;
  while (!(await check().catch(() => false))) {
    if (Date.now() > end) throw new Error(`${what} is not ready after ${READY_WITHIN} ms`);
    await wait(100);
  }
}

/** A Ceph cluster of one monitor and one store in memory, with its gateway for S3 on loopback. */
export class Ceph {
  readonly folder = mkdtempSync(join(tmpdir(), 'ceph-'));
  readonly accessKey = 'KEY1';
  readonly secretKey = randomBytes(12).toString('hex');
  #endpoint = '';

  /** With `note` the name of its folder is written there, by which somebody else can end it. */
  static async start(note?: string): Promise<Ceph> {
    const ceph = new Ceph();
    if (note !== undefined) writeFileSync(note, ceph.folder);
    try {
      await ceph.#start();
    } catch (error) {
      await ceph.stop();
      throw error;
    }
    return ceph;
  }

  /** The address of the gateway. */
  get endpoint(): string {
    return this.#endpoint;
  }

  /** A file with the key, as the setting `s3` names it. */
  get credentialsFile(): string {
    return join(this.folder, 'credentials');
  }

  get #settings(): string {
    return join(this.folder, 'ceph.conf');
  }

  async #run(command: string, ...args: string[]): Promise<string> {
    const { stdout } = await execa(command, ['-c', this.#settings, ...args], { stdin: 'ignore' });
    return stdout;
  }

  async #start(): Promise<void> {
    const { folder } = this;
    const [v2, v1, s3] = (await freePorts(3)) as [number, number, number];
    const monitor = `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`;
    const id = '11111111-2222-3333-4444-555555555555';
    writeFileSync(this.#settings, configuration(folder, id, monitor, s3));
    const map = join(folder, 'monmap');
    await execa('monmaptool', ['--create', '--addv', 'a', monitor, '--fsid', id, map]);
    await this.#run('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map);
    await this.#run('ceph-mon', '-i', 'a');
    await this.#run('ceph', 'osd', 'create');
    mkdirSync(join(folder, 'osd0'));
    await this.#run('ceph-osd', '-i', '0', '--mkfs');
    await this.#run('ceph', 'osd', 'crush', 'add', 'osd.0', '1.0', 'root=default', 'host=localhost');
    await this.#run('ceph-osd', '-i', '0');
    await until('the store', async () => (await this.#run('ceph', 'osd', 'stat')).includes('1 up'));
    await this.#run('radosgw', '-n', 'client.rgw');
    this.#endpoint = `http://127.0.0.1:${s3}`;
    await until('the gateway', async () => (await fetch(this.#endpoint)).ok);
    const keys = [`--access-key=${this.accessKey}`, `--secret-key=${this.secretKey}`];
    await this.#run('radosgw-admin', '-n', 'client.rgw', 'user', 'create', '--uid=tests', '--display-name=tests', ...keys);
    const text = `[default]\naws_access_key_id = ${this.accessKey}\naws_secret_access_key = ${this.secretKey}\n`;
    writeFileSync(this.credentialsFile, text, { mode: 0o600 });
  }

  /** Another user of the gateway; a file with the key of that. */
  async addUser(name: string): Promise<string> {
    const [access, secret] = [`KEY-${name}`, randomBytes(12).toString('hex')];
    const keys = [`--access-key=${access}`, `--secret-key=${secret}`];
    await this.#run('radosgw-admin', '-n', 'client.rgw', 'user', 'create', `--uid=${name}`, `--display-name=${name}`, ...keys);
    const file = join(this.folder, `credentials-${name}`);
    writeFileSync(file, `[default]\naws_access_key_id = ${access}\naws_secret_access_key = ${secret}\n`, { mode: 0o600 });
    return file;
  }

  /** Ends what `start` noted, when it is there still. */
  static async endNoted(note: string): Promise<void> {
    if (existsSync(note)) endIn(readFileSync(note, 'utf8'));
  }

  async stop(): Promise<void> {
    endIn(this.folder);
  }
}

/** Ends the processes of a cluster, and removes its folder. */
function endIn(folder: string): void {
  for (const name of ['client.rgw', 'osd.0', 'mon.a']) {
    const file = join(folder, `${name}.pid`);
    if (!existsSync(file)) continue;
    try {
      process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
    } catch {
      // It had ended.
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Without keys among its own parts, replicas and everything that needs more than one machine. */
function configuration(folder: string, id: string, monitor: string, port: number): string {
  return `[global]
fsid = ${id}
mon_initial_members = a
mon_host = ${monitor}
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
auth_supported = none
ms_mon_client_mode = crc
ms_client_mode = crc
ms_service_mode = crc
ms_mon_service_mode = crc
ms_mon_cluster_mode = crc
ms_cluster_mode = crc
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
run_dir = ${folder}
pid_file = ${folder}/$type.$id.pid
log_file = ${folder}/$type.$id.log
admin_socket = ${folder}/$type.$id.asok
[mon]
mon_data = ${folder}/mon
[osd]
osd_data = ${folder}/osd0
osd_objectstore = memstore
memstore_device_bytes = 4294967296
[client.rgw]
pid_file = ${folder}/client.rgw.pid
rgw_frontends = beast endpoint=127.0.0.1:${port}
rgw_run_sync_thread = false
`;
}
