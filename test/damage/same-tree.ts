import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The paths at which two trees differ in kind, mode, owner, content or the place a link leads to. In this process, for those who compare thousands. */
export function differencesOf(one: string, other: string): string[] {
  const names = new Set(
    [one, other].flatMap((folder) => (existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [])),
  );
  return [...names].filter((name) => describe(join(one, name)) !== describe(join(other, name))).sort();
}

function describe(file: string): string {
  const status = lstatSync(file, { throwIfNoEntry: false });
  if (status === undefined) return 'missing';
  const { mode, uid, gid } = status;
  const content = status.isFile() ? readFileSync(file, 'latin1') : status.isSymbolicLink() ? readlinkSync(file, 'latin1') : '';
  return `${mode} ${uid} ${gid} ${content}`;
}
