import { statSync } from 'node:fs';
import { ownFolders } from '../config/location.ts';
import type { Settings } from '../config/settings.ts';
import { fingerprintOf } from '../crypto/ed25519.ts';
import { asFailure } from '../failure.ts';
import { closeDescriptor, openTrustedDirectory } from '../linux/files.ts';
import { freeSpace } from '../linux/space.ts';
import { pathBytes } from '../panel/unit.ts';
import { runMissing } from '../repository/history/missing.ts';
import { timeOfId } from '../repository/ids.ts';
import { replacedAt } from '../repository/known-places.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import type { Check } from '../schemas/doctor.ts';
import { checkWriting } from './check-writing.ts';
import { ok, problem, warning } from './checks.ts';

const GIB = 1024 ** 3;
/** Below these shares of its size a file system is named: soon, and now. */
const LITTLE = 0.1;
const VERY_LITTLE = 0.02;
/** A clock may be ahead of another one's by so much, in milliseconds. */
const CLOCKS_DIFFER = 120_000;

/** Whether the repository can be opened and written to, and what its newest record says of the clock; and the repository, where it was opened. */
export async function checkDestination(settings: Settings, now: number): Promise<{ checks: Check[]; repository?: Repository }> {
  let repository: Repository | undefined;
  try {
    repository = await openRepository(settings, 'read', () => {});
    const found: Check[] = [await checkWriting('destination', settings.repository, repository.backend, repository)];
    const newest = (await repository.runs.ids()).at(-1);
    const ahead = newest === undefined ? 0 : timeOfId(newest).getTime() - now;
    found.push(
      ahead > CLOCKS_DIFFER
        ? problem(
            'clock',
            `a run of this server is dated ${Math.ceil(ahead / 60_000)} minutes ahead of the clock`,
            'Set the clock, and see that chronyd runs; retention counts by it.',
          )
        : ok('clock', `${new Date(now).toISOString()}, later than everything that is recorded`),
    );
    found.push(await checkSignatures(repository, settings));
    return { checks: found, repository };
  } catch (error) {
    const { message, advice } = asFailure(error);
    const found = problem('destination', message, advice ?? 'Mount the file system of the repository, or correct backups.destination.');
    return { checks: [found], ...(repository === undefined ? {} : { repository }) };
  }
}

/** With which key this server signs, and whether somebody put another repository there, or an older state of it. */
async function checkSignatures(repository: Repository, { stateDirectory, repository: place }: Settings): Promise<Check> {
  const replaced = replacedAt(stateDirectory, place, repository.identity.id);
  if (replaced !== undefined) return problem('signatures', replaced.message, replaced.advice ?? '');
  const missing = await repository.runs.missing();
  if (missing !== undefined) {
    const advice = 'Find out who could write there. The next backup says it once more, and goes on.';
    return problem('signatures', runMissing(missing.id).message, advice);
  }
  const key = repository.signatures.ownKey(repository.server);
  return ok('signatures', key === undefined ? 'the first backup makes the key' : `this server signs with ${fingerprintOf(key.publicKey)}`);
}

/** The room where backups, copies and state are kept, and whether each is on a disk of its own. */
export function checkSpace(settings: Settings): Check[] {
  const { repository, accountsRoot, copies } = settings;
  const found: Check[] = [];
  for (const place of new Set(ownFolders(settings))) {
    const room = roomOf(place);
    if (room === undefined) continue;
    const share = room.bytes / Math.max(1, room.size);
    const text = `${place}: ${(room.bytes / GIB).toFixed(1)} GiB free of ${(room.size / GIB).toFixed(1)}`;
    const advice = 'Keep less (backups.retention, then `apiscp-backup prune`), or make the file system larger.';
    // A file system without a fixed number of inodes tells 0.
    const noInodes = room.inodes > 0 && room.inodes < 1000;
    if (share < VERY_LITTLE || noInodes) found.push(problem('space', noInodes ? `${place}: ${room.inodes} inodes free` : text, advice));
    else found.push(share < LITTLE ? warning('space', text, advice) : ok('space', text));
  }
  if (sameDevice(repository, accountsRoot)) {
    found.push(
      warning(
        'space',
        `${repository} is on the file system of the accounts`,
        'When that disk fails both are lost: name a place on another one.',
      ),
    );
  }
  for (const copy of copies) {
    if (!sameDevice(copy.repository, repository)) continue;
    const text = `the copy ${copy.name} is on the file system of the repository`;
    found.push(warning('space', text, 'When that disk fails both are lost: name a place on another one.'));
  }
  return found;
}

/** What is free on the file system of a place; undefined when it cannot be looked at. */
export function roomOf(place: string): ReturnType<typeof freeSpace> | undefined {
  try {
    const directory = openTrustedDirectory(pathBytes(place));
    try {
      return freeSpace(directory);
    } finally {
      closeDescriptor(directory);
    }
  } catch {
    // Told by what cannot do without it.
    return undefined;
  }
}

function sameDevice(one: string, other: string): boolean {
  const device = (path: string) => statSync(path, { throwIfNoEntry: false })?.dev;
  return device(one) !== undefined && device(one) === device(other);
}
