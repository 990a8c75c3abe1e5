import { accessSync, constants } from 'node:fs';
import { parseLocation } from '../config/location.ts';
import { asFailure } from '../failure.ts';
import { closeDescriptor, openTrustedDirectory, openUnnamed } from '../linux/files.ts';
import { errorCode } from '../linux/system-error.ts';
import { writeAll } from '../linux/write-all.ts';
import { pathBytes } from '../panel/unit.ts';
import type { Backend } from '../repository/backends/backend.ts';
import { SERVER_FILE, serverFolder } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import type { Check } from '../schemas/doctor.ts';
import { ok, problem } from './checks.ts';

type Name = Extract<Check['check'], 'destination' | 'copy'>;

const GIB = 1024 ** 3;
/** What is tried to be written, in bytes. */
const TRIAL = 4096;

const ROOM = 'Make room: `apiscp-backup prune`, or a larger disk.';
const REFUSED = 'Let root write there: an NFS export needs no_root_squash, and `chattr -i` lifts a protection against changes.';
const FAILING = 'Look into the system’s log: a disk, or the server behind it, may be failing.';
/** What to do about it, by the name of the error. */
const ADVICE: Readonly<Record<string, string>> = {
  EROFS: 'The file system is mounted to be read: look into the system’s log, a disk may be failing.',
  ENOSPC: ROOM,
  EDQUOT: ROOM,
  EACCES: REFUSED,
  EPERM: REFUSED,
};

/** Whether a place can be written to, by trying it; nothing of that stays. `own` is whose folder there is this machine's; undefined: nobody knows. */
export async function checkWriting(check: Name, place: string, backend: Backend, own: Repository | undefined): Promise<Check> {
  if (parseLocation(place).kind === 'directory') return tryFolder(check, place);
  // Of another server's folder nothing is touched.
  return own?.isOwn === true ? await tryStore(check, place, backend, serverFolder(own.server)) : ok(check, untried(place));
}

function tryFolder(check: Name, place: string): Check {
  try {
    const directory = openTrustedDirectory(pathBytes(place));
    try {
      const file = openUnnamed(directory, 0o600);
      if (file === undefined) {
        accessSync(place, constants.W_OK);
        return ok(check, untried(place));
      }
      try {
        writeAll(file, Buffer.alloc(TRIAL, 1));
      } finally {
        closeDescriptor(file);
      }
    } finally {
      closeDescriptor(directory);
    }
    return ok(check, `${place} can be read and written to`);
  } catch (error) {
    const code = errorCode(error) ?? (error as Error).message;
    return problem(check, `${place} cannot be written to (${code})`, ADVICE[code] ?? FAILING);
  }
}

async function tryStore(check: Name, place: string, backend: Backend, folder: string): Promise<Check> {
  if (backend.tryWriting === undefined) return ok(check, untried(place));
  try {
    await backend.tryWriting(folder);
  } catch (error) {
    const { message, advice } = asFailure(error);
    return problem(check, `${place} can be read, and not written to: ${message}`, advice ?? 'Let the user that backups use write there.');
  }
  const locked = await lockProblem(backend, folder);
  if (locked !== undefined)
    return problem(check, `${place} can be written to, and what is stored is not locked: ${locked.message}`, locked.advice);
  const room = await backend.space?.().catch(() => undefined);
  const free = room === undefined ? '' : `; ${(room.free / GIB).toFixed(1)} GiB free of ${(room.size / GIB).toFixed(1)}`;
  const locks = backend.locks === undefined ? '' : `; what is stored is locked (${backend.locks.rule.mode})`;
  return ok(check, `${place} can be read and written to${free}${locks}`);
}

/** Why nothing is locked where the settings ask for that; undefined where it is, or they do not. */
async function lockProblem({ locks }: Backend, folder: string): Promise<{ readonly message: string; readonly advice: string } | undefined> {
  if (locks === undefined) return undefined;
  try {
    await locks.check();
    if ((await locks.of(`${folder}/${SERVER_FILE}`)) !== 'unlocked') return undefined;
    const advice = 'Run `apiscp-backup lock` and look again: where it stays so, the store takes locks and does not keep them.';
    return { message: `${folder}/${SERVER_FILE} has no lock`, advice };
  } catch (error) {
    const { message, advice } = asFailure(error);
    return { message, advice: advice ?? 'See what the store says.' };
  }
}

const untried = (place: string): string => `${place} can be read; whether it can be written to, the next backup tells`;
