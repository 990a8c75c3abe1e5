import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../failure.ts';

/** Where programs are looked for, whatever the environment says. */
export const PROGRAM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Where PostgreSQL's packages keep their programs: EL, then Debian. */
const POSTGRESQL_FOLDERS: readonly { readonly folder: string; readonly pattern: RegExp; readonly inside: string }[] = [
  { folder: '/usr', pattern: /^pgsql-([0-9.]+)$/, inside: 'bin' },
  { folder: '/usr/lib/postgresql', pattern: /^([0-9.]+)$/, inside: 'bin' },
];

/** All that a child process gets of an environment. */
export const CHILD_ENVIRONMENT = { PATH: PROGRAM_FOLDERS.join(':'), LC_ALL: 'C.UTF-8' } as const;

/** The path of the first of these programs that there is. Throws `database_unreachable` when there is none. */
export function findProgram(names: readonly string[], folders: readonly string[] = PROGRAM_FOLDERS): string {
  for (const name of names) {
    const path = folders.map((folder) => join(folder, name)).find(isFile);
    if (path !== undefined) return path;
  }
  throw new Failure('database_unreachable', `there is no ${names.join(' or ')} on this server`, {
    advice: `Install the package that brings ${names[0]}.`,
  });
}

/** The same of PostgreSQL's newest version: its programs work with every older server. */
export function findPostgresqlProgram(name: string): string {
  const installed = POSTGRESQL_FOLDERS.flatMap(({ folder, pattern, inside }) =>
    namesIn(folder).flatMap((version) => {
      const match = pattern.exec(version);
      return match === null ? [] : [{ version: Number(match[1]), folder: join(folder, version, inside) }];
    }),
  );
  installed.sort((a, b) => b.version - a.version);
  return findProgram([name], [...installed.map(({ folder }) => folder), ...PROGRAM_FOLDERS]);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
