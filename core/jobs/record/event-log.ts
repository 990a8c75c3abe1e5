import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { JobEvent } from '../../schemas/jobs.ts';
import { jsonLine } from '../../schemas/json-text.ts';
import { FILES } from './places.ts';
import { appendRegular, readRegular } from './regular-file.ts';

/** A file of events is set aside when it is longer than this, in bytes, and the one set aside before goes: twice this is kept at most. */
const FILE_LIMIT = 256 * 1024;
/** The most of a message, in characters. */
const MESSAGE_LIMIT = 2000;

/** What a job tells on the way. The last events are kept, however many there are; each has its number. */
export class EventLog {
  readonly #folder: string;
  #number = 0;
  #length = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Never throws: on a full disk events are missing, and the work goes on. */
  add(event: Omit<JobEvent, 'number' | 'time'>): void {
    const message = event.message.slice(0, MESSAGE_LIMIT);
    const line = jsonLine({ number: ++this.#number, time: new Date().toISOString(), ...event, message });
    const file = join(this.#folder, FILES.events);
    try {
      if (this.#length > FILE_LIMIT) {
        renameSync(file, join(this.#folder, FILES.earlierEvents));
        this.#length = 0;
      }
      appendRegular(file, line);
      this.#length += Buffer.byteLength(line);
    } catch {
      // What is in the file now, nobody knows: the next event begins another one, or does not come either.
      this.#length = lengthOf(file) ?? this.#length;
    }
  }
}

function lengthOf(file: string): number | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return undefined;
  }
}

/** The events that are kept, oldest first. Of a line that was cut, nothing is told. */
export function readEvents(folder: string): JobEvent[] {
  const events = new Map<number, JobEvent>();
  // The file may be set aside between the two: then its events come twice, and count once.
  for (const name of [FILES.events, FILES.earlierEvents, FILES.events]) {
    for (const line of linesOf(join(folder, name))) {
      try {
        const event = JSON.parse(line) as JobEvent;
        const texts = [event.time, event.kind, event.level, event.code, event.message];
        if (typeof event.number === 'number' && texts.every((text) => typeof text === 'string')) events.set(event.number, event);
      } catch {}
    }
  }
  return [...events.values()].sort((a, b) => a.number - b.number);
}

function linesOf(file: string): string[] {
  try {
    return readRegular(file).split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
