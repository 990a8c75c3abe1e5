import { copyFileSync, mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { fillSite } from '../accounts/hosting-site.ts';
import { mountLoopFileSystem } from '../accounts/loop-file-system.ts';
import { makeVirtualServer, type VirtualSite } from '../accounts/virtual-server.ts';
import type { MariadbServer } from '../databases/mariadb-server.ts';
import { installPanel } from '../stand-in-panel/install.ts';
import { unpackWordPress } from './wordpress-package.ts';

const PROJECT = join(import.meta.dirname, '../..');
const OVERLAY_MAGIC = 0x794c7630;
const DISK_MEGABYTES = 2048;

/** The machine of the demo: three accounts, a database server, a few server-wide files, and the panel with the plugin. */
export interface DemoServer {
  readonly folder: string;
  readonly sites: readonly VirtualSite[];
  readonly mariadb: MariadbServer;
  /** Carries out a command of the panel, as an administrator types it, and returns its result. */
  cpcmd(...words: string[]): Promise<Record<string, unknown>>;
}

function makeServerWideFiles(root: string): void {
  for (const folder of ['var/log', 'var/lib/mysql', 'var/lib/pgsql/15/backups']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'var/log/mailer_table'), 'example1.test site1\n');
  writeFileSync(join(root, 'var/lib/mysql/mysql-grants-20261123.sql'), 'GRANT USAGE;\n');
  writeFileSync(join(root, 'var/lib/mysql/ibdata1'), 'live');
  writeFileSync(join(root, 'var/lib/pgsql/15/backups/globals.sql'), 'CREATE ROLE;\n');
}

/**
 * Builds the server below `folder`; `packages` is kept for other runs. The accounts get a file system of their own where `folder`
 * cannot carry an overlay.
 */
export async function buildDemo(folder: string, packages: string, mariadb: MariadbServer): Promise<DemoServer> {
  mkdirSync(folder, { recursive: true });
  const disk = join(folder, 'disk');
  if (statfsSync(folder).type === OVERLAY_MAGIC) await mountLoopFileSystem(disk, DISK_MEGABYTES);
  const application = await unpackWordPress(packages);
  const accountsRoot = join(disk, 'home/virtual');
  const sites = await makeVirtualServer(accountsRoot, 3);
  for (const site of sites) await fillSite(site, application);
  const systemRoot = join(disk, 'root');
  makeServerWideFiles(systemRoot);
  const settingsFile = join(folder, 'config.json');
  const settings = {
    repository: join(folder, 'repository'),
    stateDirectory: join(folder, 'state'),
    accountsRoot,
    systemRoot,
    databases: { method: 'stream', mysql: { socket: mariadb.socket, credentials: mariadb.optionFile } },
  };
  writeFileSync(settingsFile, JSON.stringify(settings), { mode: 0o600 });
  // A copy, as an installation is: a build that runs at the same time does not pull the program away.
  const core = join(folder, 'apiscp-backup');
  copyFileSync(join(PROJECT, 'dist/apiscp-backup'), core);
  const panel = installPanel({ home: join(folder, 'panel'), accountsRoot, core, settingsFile });
  await execa(core, ['--config', settingsFile, 'init']);
  return {
    folder,
    sites,
    mariadb,
    async cpcmd(...words) {
      const { stdout, stderr, exitCode } = await execa(panel.cpcmd, ['-o', 'json', ...words], { reject: false });
      if (exitCode !== 0) throw new Error(`cpcmd ${words.join(' ')} failed (${exitCode}):\n${stderr}\n${stdout}`);
      return JSON.parse(stdout);
    },
  };
}
