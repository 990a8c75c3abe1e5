import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { readHeard } from '../panel/heard-events.ts';
import type { Check } from '../schemas/doctor.ts';
import { panelHome } from './check-panel.ts';
import { INSTALL, ok, warning } from './checks.ts';

/** The scripts that the panel starts when it has made an account, and before it deletes one. */
const SCRIPTS = ['createDomain', 'deleteDomain'];
const MARK = '>>> apiscp-backup';
const FOR_ALL = 0o111;

/**
 * Whether the panel tells of new and deleted accounts, as far as that can be seen: which ways there are, and when it took each last. `hooked` says
 * whether its module is one that may be told; undefined: nobody asked the panel. Nothing where there is no panel.
 */
export function checkHooks({ systemRoot, stateDirectory }: Settings, hooked: boolean | undefined): Check[] {
  const home = panelHome(systemRoot);
  if (home === undefined) return [];
  const folder = join(home, 'config/custom/hooks');
  const lacking = SCRIPTS.filter((name) => !['sh', 'php'].some((ending) => isOurs(join(folder, `${name}.${ending}`))));
  const heard = readHeard(stateDirectory);
  const last = (time: string | undefined) => (time === undefined ? 'not heard yet' : `last heard ${time}`);
  const module = hooked === undefined ? last(heard.module) : hooked ? last(heard.module) : 'this panel tells modules of add-ons nothing';
  const ways = `new and deleted accounts are told of by the panel’s scripts (${last(heard.script)}) and its module (${module})`;
  if (lacking.length === 0) return [ok('hooks', ways)];
  const scripts = lacking.map((name) => join(folder, `${name}.sh`)).join(', ');
  if (heard.module !== undefined)
    return [
      ok(
        'hooks',
        `new and deleted accounts are told of by the panel’s module (${last(heard.module)}); without the lines of the plugin: ${scripts}`,
      ),
    ];
  const text = `new accounts wait for the night, and deleted ones get no last backup: ${scripts} lacks the lines of the plugin, or cannot be started`;
  return [warning('hooks', text, INSTALL)];
}

function isOurs(file: string): boolean {
  try {
    return (statSync(file).mode & FOR_ALL) !== 0 && readFileSync(file, 'utf8').includes(MARK);
  } catch {
    return false;
  }
}
