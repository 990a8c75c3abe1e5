import { readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { ListResult } from '../../core/schemas/list.ts';
import { checkServers } from '../faults/checks.ts';
import type { Ended, Server } from '../faults/server.ts';
import { UNIT } from './small-world.ts';
import type { Story } from './stories.ts';
import { differences, STAGING, type Tree, treeOf } from './tree.ts';

/** Older than anything that a killed process could still be writing. */
const LONG_AGO = Date.now() / 1000 - 60 * 24 * 3600;

/**
 * What is wrong with what a story left when it was stopped, in sentences; nothing when every promise is kept. `by`: a failure of power leaves files
 * without their properties, and `remains.ts` has looked at their contents.
 */
export async function aftermath(story: Story, server: Server, by: 'kill' | 'power' = 'kill'): Promise<string[]> {
  const wrong: string[] = [];
  const expectGood = <Result>(what: string, { exitCode, error, result }: Ended<Result>): Result | undefined => {
    if (exitCode !== 0) wrong.push(`${what} ended with ${exitCode}: ${error?.message ?? JSON.stringify(result)}`);
    return result;
  };
  // Without a repository there is nothing to look at yet.
  if (story.method !== 'init') wrong.push(...(await checkListed(story, server, story.kept, story.damaged)));
  if (by === 'kill') wrong.push(...halfFiles(story, server));
  const again = await server.command(story.method, story.request(server));
  if (again.error === undefined || again.error.code !== story.doneCode) expectGood('the same once more', again);
  wrong.push(...((await story.broken?.(server)) ?? []).map((each) => `after the same once more: ${each}`));
  wrong.push(...differencesOfTarget(story, server));
  // What is left half written in the state goes with the next that has something to note.
  const hasCopies = story.method === 'copy' || story.method === 'nightly';
  if (hasCopies) {
    story.world.know(server);
    story.world.change(4);
  }
  expectGood('the next run', await server.command('run', { units: [UNIT], level: 'incremental' }));
  if (hasCopies) expectGood('the next copy', await server.command('copy', {}));
  makeOld(server.repository);
  makeOld(join(server.folder, 'state'));
  expectGood('the next prune', await server.command('prune', {}));
  const newest = server.records().findLast(({ name }) => name === UNIT);
  if (newest === undefined) wrong.push('nothing is backed up');
  else await checkRestored(story, server, newest.id, wrong, story.world.now());
  wrong.push(...(await checkListed(story, server, story.method === 'prune' ? new Set() : story.kept)));
  wrong.push(...checkServers(server), ...leftovers(server));
  return wrong;
}

/** Every snapshot that is listed verifies and restores as the account was; those that must be there are. */
async function checkListed(
  story: Story,
  server: Server,
  kept: ReadonlySet<string>,
  damaged: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const wrong: string[] = [];
  const listed = await server.command<ListResult>('list', {});
  const ids = new Set(listed.result?.snapshots.filter(({ unit }) => unit === UNIT).map(({ id }) => id));
  if (listed.exitCode !== 0) wrong.push(`list ended with ${listed.exitCode}: ${listed.error?.message}`);
  for (const id of kept) if (!ids.has(id)) wrong.push(`${id} is listed no more`);
  const verified = await server.command('verify', { ...story.reading });
  if (verified.exitCode !== 0 && damaged.size === 0)
    wrong.push(`verify ended with ${verified.exitCode}: ${verified.error?.message ?? JSON.stringify(verified.result)}`);
  for (const id of ids) if (!damaged.has(id)) await checkRestored(story, server, id, wrong);
  return wrong;
}

async function checkRestored(
  { world, reading }: Story,
  server: Server,
  id: string,
  wrong: string[],
  expected: Tree = world.states.get(id) ?? world.now(),
): Promise<void> {
  const to = join(server.folder, 'aside');
  const { exitCode, error, result } = await server.command('restore', { unit: UNIT, at: id, to, ...reading });
  const found = treeOf(to);
  rmSync(to, { recursive: true, force: true });
  // What it says that it could not see is as it was before, or missing; `test/faults/explained.ts` looks at that closely.
  const isPartial = server.records().some((record) => record.id === id && record.warningCount > 0);
  if (exitCode !== 0 && (result === undefined || !isPartial)) {
    wrong.push(`${id} restores with ${exitCode}: ${error?.message ?? JSON.stringify(result)}`);
    return;
  }
  if (isPartial) return;
  wrong.push(...differences(expected, found).map((each) => `${id}: ${each}`));
}

/** Files of a restore that are neither what they were nor what they should become. */
function halfFiles({ target, request, world }: Story, server: Server): string[] {
  if (target === undefined) return [];
  const wanted = world.states.get(String(request(server).at)) as Tree;
  const isWhole = (line: string, other: string | undefined): boolean => other?.split(' one of ')[0] === line.split(' one of ')[0];
  return [...treeOf(target.folder(server))]
    .filter(([path, line]) => !STAGING.test(path) && !line.startsWith('folder'))
    .filter(([path, line]) => !isWhole(line, wanted.get(path)) && !isWhole(line, target.before.get(path)))
    .map(([path, line]) => `${path} is half restored: ${line}`);
}

/** How what a restore made differs from what it should be. */
export function differencesOfTarget({ target, request, world }: Story, server: Server): string[] {
  if (target === undefined) return [];
  return differences(world.states.get(String(request(server).at)) as Tree, treeOf(target.folder(server)));
}

/** Makes everything in a folder old enough to count as left behind. */
export function makeOld(folder: string): void {
  for (const path of pathsIn(folder)) utimesSync(path, LONG_AGO, LONG_AGO);
}

function pathsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
}

/** What is in the repository and nobody needs, and what has a temporary name anywhere. */
function leftovers(server: Server): string[] {
  const records = server.records();
  const needed = new Set(records.flatMap(({ packs, manifest }) => [manifest, ...packs].map(({ path }) => path.split('/').at(-1))));
  const names = [server.repository, join(server.folder, 'state')]
    .flatMap(pathsIn)
    .filter((path) => statSync(path).isFile())
    .map((path) => relative(server.folder, path));
  const isLeft = (name: string): boolean =>
    /\.incoming\/|\.tmp|\.apiscp-backup-|units-in-hand/.test(name) ||
    (/\/(?:packs|manifests)\//.test(name) && !needed.has(name.split('/').at(-1)));
  return names.filter(isLeft).map((name) => `${name} is left`);
}
