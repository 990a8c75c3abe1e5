import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { Failure } from '../failure.ts';

const FILE = 'places.json';

function read(stateDirectory: string): Record<string, unknown> {
  try {
    const places = JSON.parse(readFileSync(join(stateDirectory, FILE), 'utf8')) as unknown;
    return typeof places === 'object' && places !== null ? (places as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The id of the repository that this machine knows at a place; undefined when it knows none. */
export function knownAt(stateDirectory: string, location: string): string | undefined {
  const known = read(stateDirectory)[location];
  return typeof known === 'string' ? known : undefined;
}

/**
 * The failure that another repository stands at a place than the one that this machine wrote to there; undefined when it is the same, or the first. Whoever
 * can write to the place could have exchanged it: then it would be a stranger to this machine, which would ask it for whom to encrypt.
 */
export function replacedAt(stateDirectory: string, location: string, repository: string): Failure | undefined {
  const known = knownAt(stateDirectory, location);
  if (known === undefined || known === repository) return undefined;
  return new Failure('repository_replaced', `${location} holds the repository ${repository} instead of ${known}`, {
    affected: [location],
    advice: 'If somebody put another repository there on purpose: `apiscp-backup init`. Otherwise find out who could write there.',
  });
}

/** Remembers which repository stands at a place. Does nothing when that is known; throws where it cannot be kept. */
export function rememberPlace(stateDirectory: string, location: string, repository: string): void {
  const places = read(stateDirectory);
  if (places[location] === repository) return;
  replaceFile(join(stateDirectory, FILE), Buffer.from(`${JSON.stringify({ ...places, [location]: repository }, null, 2)}\n`));
}
