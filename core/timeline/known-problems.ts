import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';

const FILE = 'problems.json';

/** What people were told, and what of it goes on, as the state directory remembers it. */
export interface KnownProblems {
  /** Since when there is each problem, RFC 3339 UTC, by its key. */
  readonly since: ReadonlyMap<string, string>;
  /** Of which event people were told last. */
  readonly told: string | null;
  /** How often it was tried in vain to tell them of the event after that. */
  readonly tries: number;
  /** What keeps each way of telling from working, by the name of the way. */
  readonly undelivered: ReadonlyMap<string, string>;
}

const NOTHING: KnownProblems = { since: new Map(), told: null, tries: 0, undelivered: new Map() };

/** What makes two problems the same one, though their messages differ from night to night. */
export function problemKey({ code, unit }: { readonly code: string; readonly unit: string | null }): string {
  return unit === null ? code : `${code} ${unit}`;
}

/** Nothing, when nothing is known or what is there cannot be understood. */
export function readKnownProblems(stateDirectory: string): KnownProblems {
  try {
    const { since, told, tries, undelivered } = JSON.parse(readFileSync(join(stateDirectory, FILE), 'utf8'));
    return {
      since: new Map(Object.entries(since as Record<string, string>).filter(([, time]) => isTime(time))),
      told: typeof told === 'string' ? told : null,
      tries: Number.isSafeInteger(tries) ? tries : 0,
      undelivered: new Map(Object.entries(undelivered as Record<string, string>).map(([way, reason]) => [way, String(reason)])),
    };
  } catch {
    return NOTHING;
  }
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && Number.isFinite(Date.parse(value));
}

/** Throws what the system says where it cannot be kept. */
export function writeKnownProblems(stateDirectory: string, { since, told, tries, undelivered }: KnownProblems): void {
  const text = JSON.stringify({ since: Object.fromEntries(since), told, tries, undelivered: Object.fromEntries(undelivered) });
  replaceFile(join(stateDirectory, FILE), Buffer.from(`${text}\n`));
}
