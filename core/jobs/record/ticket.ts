import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { tryLock } from '../../linux/locks.ts';
import { errorCode } from '../../linux/system-error.ts';
import { isTimedId } from '../../repository/ids.ts';
import { ticketsFolder } from './places.ts';
import { textOf } from './regular-file.ts';

/**
 * The ticket of a job: a file that is there as long as the job has not ended, and whose flock(2) the process of the job holds. So a job
 * lives exactly as long as its process, whoever has its process id afterwards.
 */
export interface Ticket {
  readonly id: string;
  /** The site of an owner, null of an administrator. */
  readonly site: string | null;
  /** Small ones come first. */
  readonly size: number;
  /** Of jobs with the same word one works at a time. */
  readonly key: string;
  /** Whether it waits for its turn; a job in a terminal does not. */
  readonly isQueued: boolean;
}

export interface LiveTicket extends Ticket {
  readonly isWorking: boolean;
  /** False: its process has not come yet. */
  readonly isHeld: boolean;
}

/** The first byte of a ticket, which is written over in its place: that takes no room on a full disk. */
const NEW = 'n';
const WAITING = 'w';
const WORKING = 'r';

/** In milliseconds: a process that has not taken its ticket by then never will. */
const START_LIMIT = 60_000;
/** Others hold a ticket for a moment, when they look whether it is held. */
const MOMENT = 10;
const MOMENTS = 500;

const { O_RDWR, O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

const NO_TICKET: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR']);

export function createTicket(stateDirectory: string, ticket: Ticket): void {
  const folder = ticketsFolder(stateDirectory);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, ticket.id);
  try {
    writeFileSync(file, `${NEW}${JSON.stringify(ticket)}`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}

/** Of a job that comes to nothing. */
export function removeTicket(stateDirectory: string, id: string): void {
  rmSync(join(ticketsFolder(stateDirectory), id), { force: true });
}

/** A ticket that this process holds until it gives it back or ends. */
export class HeldTicket {
  readonly ticket: Ticket;
  readonly #file: string;
  readonly #descriptor: number;

  private constructor(ticket: Ticket, file: string, descriptor: number) {
    this.ticket = ticket;
    this.#file = file;
    this.#descriptor = descriptor;
  }

  /** Undefined when another process has it, or nobody made it. Throws what the system says when that cannot be found out. */
  static async take(stateDirectory: string, id: string): Promise<HeldTicket | undefined> {
    const file = join(ticketsFolder(stateDirectory), id);
    const descriptor = openIfThere(file, O_RDWR);
    if (descriptor === undefined) return undefined;
    let held: HeldTicket | undefined;
    try {
      for (let moment = 0; moment < MOMENTS; moment++) {
        if (tryLock(descriptor)) {
          const ticket = parse(textOf(descriptor, 'latin1'), id);
          if (ticket === undefined) break;
          writeSync(descriptor, WAITING, 0);
          held = new HeldTicket(ticket, file, descriptor);
          break;
        }
        await pause(MOMENT);
      }
    } finally {
      if (held === undefined) closeWhatever(descriptor);
    }
    return held;
  }

  /** Its turn has come. */
  work(): void {
    writeSync(this.#descriptor, WORKING, 0);
  }

  /** Never throws: what cannot be removed is a dead ticket. */
  giveBack(): void {
    try {
      rmSync(this.#file, { force: true });
    } catch {}
    closeWhatever(this.#descriptor);
  }
}

/** Undefined of what no ticket of that id says. */
function parse(text: string, id: string): (Omit<LiveTicket, 'isHeld'> & { readonly isNew: boolean }) | undefined {
  try {
    const ticket = JSON.parse(text.slice(1)) as Ticket;
    const { site, size, key, isQueued } = ticket;
    const isWhole = typeof (site ?? '') === 'string' && Number.isFinite(size) && typeof key === 'string' && typeof isQueued === 'boolean';
    if (!isWhole || ticket.id !== id) return undefined;
    return { id, site, size, key, isQueued, isWorking: text.startsWith(WORKING), isNew: text.startsWith(NEW) };
  } catch {
    return undefined;
  }
}

/** Undefined when there is none: a link is none. */
function openIfThere(file: string, flags: number): number | undefined {
  try {
    return openSync(file, flags | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (NO_TICKET.has(errorCode(error))) return undefined;
    throw error;
  }
}

/** Linux closes a descriptor also when it reports an error. */
function closeWhatever(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // Nothing that was written rests on it.
  }
}

/**
 * The ticket of a job that lives, or whose process may still come; undefined of any other. Throws what the system says when that cannot be
 * found out.
 */
export function liveTicket(stateDirectory: string, id: string): LiveTicket | undefined {
  const descriptor = openIfThere(join(ticketsFolder(stateDirectory), id), O_RDONLY);
  if (descriptor === undefined) return undefined;
  try {
    const isHeld = !tryLock(descriptor, 'shared');
    const ticket = parse(textOf(descriptor, 'latin1'), id);
    if (ticket === undefined || (!isHeld && !(ticket.isNew && isYoung(descriptor)))) return undefined;
    return { ...ticket, isHeld };
  } finally {
    closeWhatever(descriptor);
  }
}

function isYoung(descriptor: number): boolean {
  // A clock that was put back makes nothing younger.
  return Math.abs(Date.now() - fstatSync(descriptor).mtimeMs) < START_LIMIT;
}

/** One that cannot be read is nobody's: it keeps no other job from its turn. Throws what the system says when nobody knows which there are. */
export function liveTickets(stateDirectory: string): LiveTicket[] {
  return namesOf(stateDirectory).flatMap((id) => {
    try {
      return liveTicket(stateDirectory, id) ?? [];
    } catch {
      return [];
    }
  });
}

/**
 * Removes the tickets of processes that were killed, where `settle`, which first hears of whose each was, says so. What cannot be looked at, or
 * removed, stays. Throws as `liveTickets`.
 */
export function removeDeadTickets(stateDirectory: string, settle: (id: string) => boolean): void {
  for (const id of namesOf(stateDirectory)) {
    try {
      if (liveTicket(stateDirectory, id) !== undefined) continue;
      if (settle(id)) rmSync(join(ticketsFolder(stateDirectory), id), { force: true });
    } catch {
      // The next job tries it again.
    }
  }
}

function namesOf(stateDirectory: string): string[] {
  try {
    return readdirSync(ticketsFolder(stateDirectory)).filter(isTimedId);
  } catch (error) {
    if (NO_TICKET.has(errorCode(error))) return [];
    throw error;
  }
}
