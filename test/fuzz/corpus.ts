import { createHash } from 'node:crypto';
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'corpus');
/** Of this copy of the sources alone: what earlier runs found to lead on. */
const FOUND = join(import.meta.dirname, '../../.fuzz');

/** The files of a target's corpus. */
export function corpusOf(target: string): string[] {
  return globSync(join(FOLDER, target, '*')).sort();
}

/** The inputs by which earlier runs made something run which none of the corpus does. */
export function foundFor(target: string): string[] {
  return globSync(join(FOUND, target, '*')).sort();
}

export function keepFound(target: string, input: Uint8Array): void {
  mkdirSync(join(FOUND, target), { recursive: true });
  writeFileSync(join(FOUND, target, digestOf(input)), input);
}

function digestOf(input: Uint8Array): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 12);
}

/** Adds an input to a corpus: `seed`, or what once `crashed`. Returns its file. */
export function addToCorpus(target: string, why: 'seed' | 'crashed', input: Uint8Array): string {
  mkdirSync(join(FOLDER, target), { recursive: true });
  const file = join(FOLDER, target, `${why}-${digestOf(input)}`);
  writeFileSync(file, input);
  return file;
}
