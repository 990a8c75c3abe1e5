import { globSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { untrusted } from '../config/trusted-place.ts';
import { identitiesFile } from '../repository/keys/identities.ts';
import type { Check } from '../schemas/doctor.ts';
import { problem } from './checks.ts';

const OTHERS = 0o077;

/** The keys in the state folder of a repository that others than root could read or exchange, each with what to do. */
export function checkSecrets(stateFolder: string): Check[] {
  const secrets = [identitiesFile(stateFolder), ...globSync(join(stateFolder, 'signing/*.pem'))];
  return secrets.flatMap((file) => {
    const stat = lstatSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    const weak = untrusted(file);
    if (weak !== undefined) {
      const text = `others than root could exchange the key ${file}: ${weak.place}: ${weak.reason}`;
      return [problem('key', text, `chown root: ${weak.place}; chmod go-w ${weak.place}`)];
    }
    if ((stat.mode & OTHERS) === 0) return [];
    const mode = (stat.mode & 0o777).toString(8);
    return [problem('key', `the key ${file} is not root’s alone (mode ${mode})`, `chmod 600 ${file}. Whoever has read it can use it.`)];
  });
}
