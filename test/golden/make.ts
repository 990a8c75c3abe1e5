/**
 * Makes a golden repository by the program as it is now: `node test/golden/make.ts NAME plain|write-only|server-reads`. What is there is never made
 * again: it says how repositories of its time are, and a program that reads it otherwise is wrong.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hold } from '../../core/commands/hold.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { LocalBackend } from '../../core/repository/backends/local.ts';
import { stateIdentities } from '../../core/repository/keys/identities.ts';
import { readRepositoryIdentity } from '../../core/repository/place.ts';
import { repositoryStateFolder } from '../../core/repository/state-directory.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { described, type Expected, placeOf } from './golden.ts';
import { writeExpected } from './write-expected.ts';

const LEVELS = ['full', 'incremental', 'differential', 'incremental'] as const;

const [name = '', keys = ''] = process.argv.slice(2);
if (!/^[a-z-]+$/.test(name) || !['plain', 'write-only', 'server-reads'].includes(keys))
  throw new Error('NAME plain|write-only|server-reads');
const place = placeOf(name);
if (existsSync(place)) throw new Error(`${place} is there, and stays as it is`);

const sandbox = new Sandbox();
const trees: Record<string, Expected['trees'][string]> = {};
const identity = keys === 'plain' ? undefined : await newIdentity();
try {
  await sandbox.init(identity === undefined ? {} : { recipients: [identity.recipient], serverCanRead: keys === 'server-reads' });
  execFileSync('rm', ['-r', join(sandbox.site, 'info'), sandbox.shadow]);
  for (const [moment, level] of LEVELS.entries()) {
    execFileSync('/usr/bin/python3', [join(import.meta.dirname, 'account.py'), sandbox.site, String(moment)]);
    const { snapshot, error } = await sandbox.back(level);
    if (snapshot === null) throw new Error(JSON.stringify(error));
    trees[snapshot] = await described(sandbox.site);
  }
  await sandbox.back('incremental');
  mkdirSync(place, { recursive: true });
  if (identity !== undefined) writeFileSync(join(place, 'identity'), `${identity.secret}\n`);
  await hold({ unit: 'site1', snapshot: Object.keys(trees).at(-1) as string, reason: 'kept for ever' }, sandbox.context);
  cpSync(sandbox.repository, join(place, 'repository'), { recursive: true, filter: (file) => !file.endsWith('/.incoming') });
  if (keys === 'server-reads') {
    const { id } = await readRepositoryIdentity(new LocalBackend(sandbox.repository));
    const found = await stateIdentities(repositoryStateFolder(sandbox.stateDirectory, id));
    writeFileSync(join(place, 'identities'), found.map(({ secret }) => `${secret}\n`).join(''));
  }
} finally {
  await sandbox.remove();
}

await writeExpected(name, trees);
