import { execa } from 'execa';
import { borgmatic } from '../databases/borgmatic.ts';
import type { DatabasePlace } from '../databases/database-place.ts';
import { ourStreams } from '../databases/our-streams.ts';
import { compressedDumps, dumpFloor } from '../databases/plain-dumps.ts';
import { resticStdin } from '../databases/restic-stdin.ts';
import type { LinePlace } from '../line/line-place.ts';
import { oursEncryptedOverLine, oursOverLine } from '../line/our-stores.ts';
import { resticOverLine } from '../line/restic-stores.ts';
import { borg } from './borg.ts';
import { dar } from './dar.ts';
import { duplicity } from './duplicity.ts';
import { floor } from './floor.ts';
import { ours, oursEncrypted } from './ours.ts';
import { restic } from './restic.ts';
import { tar } from './tar.ts';
import type { ToolKind } from './tool.ts';

/** In the order in which they take turns. */
export const TOOL_KINDS: readonly ToolKind[] = [ours, oursEncrypted, floor, tar, restic, borg, duplicity, dar];

/** Those that back up databases. */
export const DATABASE_TOOL_KINDS: readonly ToolKind<DatabasePlace>[] = [ourStreams, dumpFloor, compressedDumps, resticStdin, borgmatic];

/** Those that store at the other end of a slow line. */
export const LINE_TOOL_KINDS: readonly ToolKind<LinePlace>[] = [oursOverLine, oursEncryptedOverLine, resticOverLine];

/** The first line of what a program says of its version; undefined when the program is not there. */
async function versionOf(program: string, args: readonly string[]): Promise<string | undefined> {
  const result = await execa(program, [...args], { reject: false, stdin: 'ignore', env: { LC_ALL: 'C' } });
  const said = result.exitCode === 0 ? `${result.stdout}\n`.trimStart() : '';
  return said === '' ? undefined : said.split('\n')[0]!.split(',')[0]!.trim();
}

/** The version of each program that a tool needs and that is here, and the packages of those that are missing. */
export async function lookForPrograms(
  kind: Pick<ToolKind, 'needs' | 'versionArguments'>,
): Promise<{ versions: string[]; missingPackages: string[] }> {
  const [versions, missingPackages]: [string[], string[]] = [[], []];
  for (const [program, debianPackage] of Object.entries(kind.needs)) {
    const version = await versionOf(program, kind.versionArguments ?? ['--version']);
    if (version === undefined) missingPackages.push(debianPackage);
    else versions.push(version);
  }
  return { versions, missingPackages };
}
