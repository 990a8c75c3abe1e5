import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa, execaSync } from 'execa';
import { ROOT } from '../program.ts';
import { installPanel } from '../stand-in-panel/install.ts';
import { mountOwnDevices } from './own-devices.ts';

/** What stands in config/custom/boot.php before: another add-on's lines. */
export const OTHERS_LINES =
  "<?php\n/* of another add-on */\na23r::registerModule('probe', 'Probe_Module');\na23r::register('Probe_Module', 'lib/modules/probe.php');\n";

/** A program that answers what the installer asks, for tests in which nothing is backed up. */
const SMALL_PROGRAM = (version: string) => `#!/bin/sh
case "$*" in
  --version) echo ${version} ;;
  rpc) echo '{"jsonrpc":"2.0","id":1,"result":{"name":"stateDirectory","value":"/var/lib/apiscp-backup"}}' ;;
  init) mkdir -p /var/lib/apiscp-backup/repositories/one && echo made ;;
esac
`;

/**
 * This machine's own root file system with everything that is written kept aside, so that the installer works on the real paths and nothing
 * of it stays. A panel is in it (as `test/stand-in-panel` has it), without the plugin.
 */
export class StandInRoot {
  readonly #folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-root-'));
  readonly root = join(this.#folder, 'root');
  readonly panel = '/usr/local/apnscp';
  readonly custom = `${this.panel}/config/custom`;

  constructor() {
    execaSync('mount', ['-t', 'tmpfs', 'stand-in-root', this.#folder]);
    for (const name of ['upper', 'work', 'root']) mkdirSync(join(this.#folder, name));
    const layers = ['lowerdir=/', `upperdir=${this.#folder}/upper`, `workdir=${this.#folder}/work`];
    execaSync('mount', ['-t', 'overlay', 'overlay', '-o', layers.join(','), this.root]);
    execaSync('mount', ['--bind', '/proc', this.at('/proc')]);
    mountOwnDevices(this.at('/dev'));
    for (const gone of ['/etc/apiscp-backup', '/var/lib/apiscp-backup', '/var/backups/apiscp-backup', '/usr/libexec/apiscp-backup'])
      rmSync(this.at(gone), { recursive: true, force: true });
    mkdirSync(this.at('/etc/cron.d'), { recursive: true });
    rmSync(this.at('/run/systemd/system'), { recursive: true, force: true });
    this.#addPanel();
    this.addSource('/source', '0.1.0');
  }

  /** A path inside, as it is reached from outside. */
  at(path: string): string {
    return join(this.root, path);
  }

  #addPanel(): void {
    installPanel({
      home: this.at(this.panel),
      accountsRoot: '/home/virtual',
      core: '/usr/libexec/apiscp-backup/apiscp-backup',
      settingsFile: '/etc/apiscp-backup/config.json',
    });
    cpSync(join(ROOT, 'test/stand-in-panel/fixtures/probe_module.phps'), this.at(`${this.panel}/lib/modules/probe.php`));
    rmSync(this.at(`${this.custom}/apiscp-backup`), { recursive: true });
    mkdirSync(this.at(`${this.panel}/resources/playbooks/addins`), { recursive: true });
    this.write(`${this.custom}/boot.php`, OTHERS_LINES);
  }

  /** What a release of this version unpacks to. */
  addSource(path: string, version: string, program?: string): void {
    rmSync(this.at(path), { recursive: true, force: true });
    for (const folder of ['php-module', 'scopes', 'packaging'])
      cpSync(join(ROOT, folder), this.at(join(path, folder)), { recursive: true });
    const module = this.at(join(path, 'php-module/Backup_Module.php'));
    writeFileSync(module, readFileSync(module, 'utf8').replace(/VERSION = '[^']*'/, `VERSION = '${version}'`));
    const place = this.at(join(path, 'apiscp-backup'));
    if (program === undefined) writeFileSync(place, SMALL_PROGRAM(version));
    else cpSync(program, place);
    chmodSync(place, 0o755);
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), text);
    chmodSync(this.at(path), mode);
  }

  read(path: string): string {
    return readFileSync(this.at(path), 'utf8');
  }

  has(path: string): boolean {
    return lstatSync(this.at(path), { throwIfNoEntry: false }) !== undefined;
  }

  linkOf(path: string): string {
    return readlinkSync(this.at(path));
  }

  async run(command: string, ...args: string[]) {
    const { stdout, stderr, exitCode, signal } = await execa('chroot', [this.root, command, ...args], {
      reject: false,
      // What systemctl can do without a running systemd: enable and disable.
      env: { SYSTEMD_OFFLINE: '1' },
    });
    return { stdout, stderr, exitCode, signal };
  }

  install(...args: string[]) {
    return this.installFrom('/source', ...args);
  }

  installFrom(source: string, ...args: string[]) {
    return this.run(`${source}/packaging/install`, ...args);
  }

  /** Every name below the folders that the installer writes to, with type, mode, owner and content. */
  async inventory(): Promise<string> {
    const folders = [this.custom, `${this.panel}/resources`, '/usr/libexec', '/usr/local/sbin', '/usr/local/lib', '/etc/apiscp-backup'];
    const places = [...folders, '/etc/cron.d', '/etc/systemd', '/var/lib/apiscp-backup', '/var/backups'].filter((place) => this.has(place));
    const script = 'find "$@" -printf "%p %y %m %U %l\\n" | sort; find "$@" -type f -exec sha256sum {} + | sort';
    return (await this.run('/bin/sh', '-c', script, 'sh', ...places)).stdout;
  }

  remove(): void {
    execaSync('umount', ['-R', '-l', this.root], { reject: false });
    execaSync('umount', ['-l', this.#folder]);
    if (existsSync(this.#folder)) rmSync(this.#folder, { recursive: true });
  }
}
