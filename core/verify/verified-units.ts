import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import type { RunUnit, VerifiedUnits } from '../repository/run-record.ts';

const FILE = 'verified.json';

/** The last verification of a unit, of all of it or of a sample. */
export interface Verified {
  /** When it ended, RFC 3339 UTC. */
  readonly time: string;
  /** Damage stays until a verification of the whole unit finds none. */
  readonly status: 'ok' | 'damaged';
}

/** The last verification of each unit, by its id, as this server remembers it; empty when nothing is known. */
export function readVerified(stateFolder: string): Map<string, Verified> {
  try {
    const entries = Object.entries(JSON.parse(readFileSync(join(stateFolder, FILE), 'utf8')) as Record<string, Verified>);
    return new Map(
      entries.filter(([, { time, status }]) => Number.isFinite(Date.parse(time)) && (status === 'ok' || status === 'damaged')),
    );
  } catch {
    return new Map();
  }
}

/** What is remembered of the verifications of some units, by their ids. */
export function verifiedOf(units: readonly Pick<RunUnit, 'name' | 'unit'>[], stateFolder: string): VerifiedUnits {
  const all = readVerified(stateFolder);
  const known = units.flatMap(({ name, unit }) => (unit === null ? [] : [{ name, last: all.get(unit) }]));
  const times = known.map(({ last }) => last?.time ?? null);
  return {
    oldest: times.length === 0 || times.includes(null) ? null : (times.sort()[0] ?? null),
    damaged: known.filter(({ last }) => last?.status === 'damaged').map(({ name }) => name),
  };
}

/** What one verification of a unit found. */
export interface FoundByVerification {
  /** When it ended, RFC 3339 UTC. */
  readonly time: string;
  readonly isDamaged: boolean;
  /** Whether it read everything: only then does it say that earlier damage is gone. */
  readonly isWhole: boolean;
}

/** Remembers what a verification found. Where that cannot be kept, nothing fails. */
export function noteVerified(stateFolder: string, unit: string, { time, isDamaged, isWhole }: FoundByVerification): void {
  if (!existsSync(stateFolder)) return;
  try {
    const all = readVerified(stateFolder);
    const stays = !isWhole && all.get(unit)?.status === 'damaged';
    all.set(unit, { time, status: isDamaged || stays ? 'damaged' : 'ok' });
    replaceFile(join(stateFolder, FILE), Buffer.from(`${JSON.stringify(Object.fromEntries(all))}\n`));
  } catch {
    // Said above.
  }
}
