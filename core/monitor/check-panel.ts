import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { untrusted } from '../config/trusted-place.ts';
import type { Check } from '../schemas/doctor.ts';
import { PROGRAM } from '../version.ts';
import { INSTALL, ok, problem, warning } from './checks.ts';

/** The panel's home has either name. */
const HOMES = ['usr/local/apnscp', 'usr/local/apiscp'];
const MARK = '// >>> apiscp-backup';
const RESTART = 'systemctl restart apiscp';
const SCOPES = [
  'accounts',
  'copies',
  'databases',
  'destination',
  'enabled',
  'encryption',
  'exclude',
  'include-subvolumes',
  'limits',
  'notify',
  'rclone',
  'recovery',
  'retention',
  's3',
  'schedule',
  'self-service',
  'sftp',
].map((name) => `backups.${name}`);

export function panelHome(systemRoot: string): string | undefined {
  return HOMES.map((home) => join(systemRoot, home)).find((home) => existsSync(home));
}

/** Whether the plugin is in the panel, and its lines in boot.php. */
export function checkPanel(systemRoot: string): Check {
  const home = panelHome(systemRoot);
  if (home === undefined)
    return warning('panel', 'no panel was found', 'The program works without one. Else look whether /usr/local/apnscp is there.');
  const custom = join(home, 'config/custom');
  const plugin = join(custom, 'apiscp-backup');
  if (lstatSync(plugin, { throwIfNoEntry: false }) === undefined) return problem('panel', `the plugin is not in ${custom}`, INSTALL);
  if (!existsSync(join(plugin, 'php-module/boot.php'))) return problem('panel', `${plugin} is not whole`, INSTALL);
  const boot = readText(join(custom, 'boot.php'));
  if (boot === undefined || !boot.includes(MARK)) return problem('panel', `${custom}/boot.php lacks the lines of the plugin`, INSTALL);
  const stock = join(home, 'lib/modules/backup.php');
  if (existsSync(stock))
    return problem(
      'panel',
      `the panel has a module of its own named backup (${stock}), so that cpcmd backup:… and backup_… are not this plugin’s`,
      'Use the program apiscp-backup, which does all of it; the timer and the Scopes work. Report this, so that a later version takes another name.',
    );
  return ok('panel', `the plugin is in ${plugin}`);
}

/** Whether the module and the program are of one version, and the program is root's alone. */
export function checkVersion(systemRoot: string, module: string | undefined): Check {
  const home = panelHome(systemRoot);
  const onDisk = home === undefined ? undefined : versionOfModule(join(home, 'config/custom/apiscp-backup'));
  if (module !== undefined && onDisk !== undefined && module !== onDisk) {
    return problem('version', `the panel still works with the module ${module}; ${onDisk} is installed`, RESTART);
  }
  const other = module ?? onDisk;
  if (other !== undefined && other !== PROGRAM.version) {
    return problem('version', `the module is of version ${other}, the program of ${PROGRAM.version}`, INSTALL);
  }
  const weak = process.geteuid?.() === 0 ? untrusted(process.execPath) : undefined;
  if (weak !== undefined) {
    return problem(
      'version',
      `others than root could change the program: ${weak.place}: ${weak.reason}`,
      'Make root its owner, and take the write permission from group and others.',
    );
  }
  return ok('version', other === undefined ? PROGRAM.version : `module and program are ${PROGRAM.version}`);
}

function versionOfModule(plugin: string): string | undefined {
  return /VERSION = '([^']+)'/.exec(readText(join(plugin, 'php-module/Backup_Module.php')) ?? '')?.[1];
}

/** Whether the panel shows the settings; only the panel can tell. */
export function checkScopes(shown: readonly string[] | undefined): Check {
  if (shown === undefined) return ok('scopes', 'only the panel can tell: cpcmd backup:doctor');
  const hidden = SCOPES.filter((scope) => !shown.includes(scope));
  return hidden.length === 0
    ? ok('scopes', `the panel shows ${SCOPES.length} Scopes of this program`)
    : problem('scopes', `the panel does not show ${hidden.join(', ')}`, `The panel keeps its list until it is restarted: ${RESTART}`);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
