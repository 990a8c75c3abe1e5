import { chmodSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const STAND_IN = import.meta.dirname;
const PROJECT = join(STAND_IN, '..', '..');
const FRAGMENT_START = '// >>> apiscp-backup';

export interface PanelOptions {
  /** Where the stand-in is put together; readable by everybody, as the front end runs without privileges. */
  readonly home: string;
  /** Holds the folders `siteN`. */
  readonly accountsRoot: string;
  /** The core: one executable file, started as `core rpc --config settingsFile`. */
  readonly core: string;
  readonly settingsFile: string;
  /** Further sections of the panel's config.ini. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Panel {
  readonly home: string;
  /** The panel's command line. */
  readonly cpcmd: string;
  /** The same call as the web front end makes it. */
  readonly frontendCall: string;
}

/**
 * Copies a stand-in of the panel's own PHP to its place. In the repository these files end in `.phps`: Composer maps every class in a
 * `.php` or `.inc` file below config/custom, and where the whole repository is cloned there, the panel would load these for its own.
 */
export function copyPhp(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

/** Appends the plugin's lines to the panel's boot.php, which belongs to other add-ons too; once. */
function addBootFragment(bootFile: string): void {
  const before = existsSync(bootFile) ? readFileSync(bootFile, 'utf8') : '<?php\n';
  if (before.includes(FRAGMENT_START)) return;
  const fragment = readFileSync(join(PROJECT, 'php-module/boot-fragment.php'), 'utf8').replace('<?php\n', '');
  writeFileSync(bootFile, before + fragment);
}

/** Puts a stand-in for ApisCP together and installs the plugin in it as on a real panel. May be called again for the same home. */
export function installPanel(options: PanelOptions): Panel {
  const { home } = options;
  const custom = join(home, 'config/custom');
  mkdirSync(custom, { recursive: true });
  cpSync(join(STAND_IN, 'bin'), join(home, 'bin'), { recursive: true });
  for (const file of globSync('lib/**/*.phps', { cwd: STAND_IN })) copyPhp(join(STAND_IN, file), join(home, file.slice(0, -1)));
  for (const folder of ['php-module', 'scopes']) {
    cpSync(join(PROJECT, folder), join(custom, 'apiscp-backup', folder), { recursive: true });
  }
  const sections: Record<string, Record<string, string>> = {
    ...options.config,
    standin: { ...options.config?.standin, accounts_root: options.accountsRoot },
    apiscp_backup: { core: options.core, config: options.settingsFile },
  };
  let ini = '';
  for (const [section, values] of Object.entries(sections)) {
    ini += `[${section}]\n`;
    for (const [name, value] of Object.entries(values)) ini += `${name} = "${value}"\n`;
  }
  writeFileSync(join(custom, 'config.ini'), ini);
  addBootFragment(join(custom, 'boot.php'));
  chmodSync(home, 0o755);
  return { home, cpcmd: join(home, 'bin/cpcmd'), frontendCall: join(home, 'bin/frontend-call') };
}
