import { readFileSync, statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../failure.ts';
import { defaultSettings, SETTINGS_FILE } from './defaults.ts';
import { isWithinPlace, type Location, parseLocation } from './location.ts';
import { replaceFile } from './replace-file.ts';
import { MEANT_IN_SETTINGS } from './schema.ts';
import { describeSchemaErrors, type SchemaError } from './schema-validator.ts';
import type { SettingName, Settings, SettingsFile } from './settings-type.ts';
import { shownValue } from './shown-value.ts';
import { untrusted } from './trusted-place.ts';
import { validateSettings as matchesSchema } from './validators.generated.js';

export type { SettingName, Settings, SettingsFile };

/** What is wrong with the contents of a settings file, a sentence each; empty when nothing is. */
function validateSettings(value: unknown): string[] {
  return matchesSchema(value) ? locationProblems(value as SettingsFile) : describeSchemaErrors(matchesSchema.errors, MEANT_IN_SETTINGS);
}

/** What no pattern can say of a location. */
function locationProblems({ repository, copies = [] }: SettingsFile): string[] {
  const places = [{ key: '/repository', place: repository }];
  for (const [index, copy] of copies.entries()) places.push({ key: `/copies/${index}/repository`, place: copy.repository });
  const problems: string[] = [];
  const known: { readonly text: string; readonly location: Location }[] = [];
  for (const { key, place: text = defaultSettings().repository } of places) {
    try {
      const location = parseLocation(text);
      const other = known.find((each) => isWithinPlace(location, each.location) || isWithinPlace(each.location, location));
      if (other !== undefined)
        problems.push(`${key}: ${text} and ${other.text} are one place, or one is inside of the other: a copy is at a place of its own`);
      known.push({ text, location });
    } catch (error) {
      problems.push(`${key}: ${(error as Failure).message}. ${(error as Failure).advice}`);
    }
  }
  const names = copies.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) problems.push(`/copies: two are called ${twice}`);
  return problems;
}

function invalid(file: string, problem: string, cause?: unknown): Failure {
  return new Failure('invalid_settings', `${file}: ${problem}`, { affected: [file], cause });
}

/** Root obeys no settings that others could change, be it by a folder above them. A pipe has no folders. */
function checkTrusted(file: string): void {
  if (process.geteuid?.() !== 0) return;
  const weak = untrusted(file);
  if (weak === undefined) return;
  throw new Failure('invalid_settings', `others than root could change ${file}: ${weak.place}: ${weak.reason}`, {
    affected: [weak.place],
    advice: 'Make root the owner of the file and of every folder above it, and take the write permission from group and others.',
  });
}

/** What came out of a pipe (`--config <(…)`), which gives it once only. */
const pipes = new Map<string, string>();

/** The text of a settings file, without the mark that some editors leave at its beginning. */
function readOnce(file: string): string | undefined {
  const known = pipes.get(file);
  if (known !== undefined) return known;
  let bytes: Buffer;
  let isPipe: boolean;
  try {
    const status = statSync(file);
    if (status.isFile()) checkTrusted(file);
    isPipe = status.isFIFO();
    bytes = readFileSync(file);
  } catch (error) {
    if (error instanceof Failure) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw invalid(file, `cannot be read: ${(error as Error).message}`, error);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid(file, 'is not UTF-8', error);
  }
  if (isPipe) pipes.set(file, text);
  return text;
}

/** Where the text stops being JSON, and why: `line 3, column 5: …`. Lines and columns are counted from 1. */
function describeSyntaxError(text: string, { message }: SyntaxError): string {
  const known = /^(.*?)(?: in JSON)? at position (\d+)/s.exec(message);
  const [reason, position] = known === null ? ['it ends too early', text.length] : [known[1], Number(known[2])];
  const before = text.slice(0, position).split('\n');
  return `line ${before.length}, column ${(before.at(-1) as string).length + 1}: ${reason}`;
}

/** The value in a settings file, undefined when there is none. */
function readValue(file: string): unknown {
  const text = readOnce(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(file, `is not JSON: ${describeSyntaxError(text, error as SyntaxError)}`, error);
  }
}

/** The contents of a settings file, undefined when there is none. */
function readSettingsFile(file: string): SettingsFile | undefined {
  const value = readValue(file);
  if (value === undefined) return undefined;
  const problems = validateSettings(value);
  if (problems.length > 0) throw invalid(file, problems.join('; '));
  return value as SettingsFile;
}

/**
 * The settings in force. Without `file` the default file is read and may be missing; a file that was named must exist.
 * Throws `invalid_settings`, naming the key, when the contents do not match the schema.
 */
export function loadSettings(file?: string): Settings {
  const contents = readSettingsFile(file ?? SETTINGS_FILE);
  if (contents === undefined && file !== undefined) throw invalid(file, 'there is no such file');
  return { ...defaultSettings(), ...contents };
}

/** Settings that say where something is: nothing can be found without them. */
export const PLACES: ReadonlySet<string> = new Set<SettingName>(['repository', 'stateDirectory', 'accountsRoot', 'systemRoot']);

export interface UsableSettings {
  readonly settings: Settings;
  /** Keys of the file that cannot be used, with what is wrong with each: of these `settings` has the defaults. */
  readonly unusable: ReadonlyMap<string, string>;
}

/**
 * The same for what looks into backups or restores: what is wrong in the file with anything else than the places must not stop
 * that. Throws `invalid_settings` when the file cannot be read, or a place is wrong.
 */
export function loadUsableSettings(file?: string): UsableSettings {
  const name = file ?? SETTINGS_FILE;
  const value = readValue(name);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || validateSettings(value).length === 0) return { settings: loadSettings(file), unusable: new Map() };
  const unusable = matchesSchema(value) ? new Map<string, string>() : problemsByKey(name, matchesSchema.errors);
  const { repository } = value as { readonly repository?: unknown };
  const scheme = typeof repository === 'string' ? repository.slice(0, Math.max(0, repository.indexOf(':'))) : '';
  for (const [key, problem] of unusable) {
    const wrong = (value as Record<string, unknown>)[key];
    // How the place is reached belongs to it: without its key nobody gets there. An unknown key with a path is a place that was misspelt.
    if (PLACES.has(key) || key === scheme || (typeof wrong === 'string' && wrong.startsWith('/'))) throw invalid(name, problem);
  }
  const contents = Object.fromEntries(Object.entries(value).filter(([key]) => !unusable.has(key)));
  // A copy at a wrong place is no hindrance to what is about the repository.
  const wrong = locationProblems(contents);
  if (wrong.length > 0 && locationProblems({ ...contents, copies: [] }).length === 0) {
    unusable.set('copies', wrong.join('; '));
    delete contents.copies;
  } else if (wrong.length > 0) throw invalid(name, wrong.join('; '));
  return { settings: { ...defaultSettings(), ...contents }, unusable };
}

/** What is wrong with each key at the top of a file. */
function problemsByKey(file: string, errors: readonly SchemaError[] | null | undefined): Map<string, string> {
  const problems = new Map<string, string>();
  for (const error of errors ?? []) {
    const key = error.instancePath === '' ? error.params.additionalProperty : error.instancePath.split('/')[1];
    const [sentence = error.keyword] = describeSchemaErrors([error], MEANT_IN_SETTINGS);
    if (typeof key !== 'string') throw invalid(file, sentence);
    const before = problems.get(key);
    problems.set(key, before === undefined ? sentence : `${before}; ${sentence}`);
  }
  return problems;
}

/** One setting as it is in force with this file, which may be missing. */
export function readSetting<Name extends SettingName>(file: string, name: Name): Settings[Name] {
  return { ...defaultSettings(), ...readSettingsFile(file) }[name];
}

/** Whether a value has the form of a setting. */
export function hasFormOf<Name extends SettingName>(name: Name, value: unknown): value is Settings[Name] {
  return matchesSchema({ [name]: value });
}

/** What a file holds beside the value that is to be set. Throws `invalid_settings` when anything else in it is wrong. */
function readBefore(file: string, name: SettingName, isReset: boolean): SettingsFile {
  const value = readValue(file);
  if (value === undefined) return {};
  const problems = validateSettings(value);
  if (problems.length === 0) return value as SettingsFile;
  const others = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value, [name]: undefined } : value;
  const isOther = validateSettings(JSON.parse(JSON.stringify(others))).length > 0;
  // Whoever was shown nothing of a setting that cannot be read must not lose it by saving what was shown.
  if (isOther || isReset) throw invalid(file, problems.join('; '));
  return value as SettingsFile;
}

/**
 * Changes one setting in the file and keeps the others; undefined goes back to the default. The file is replaced as a whole
 * (mode 0600), and not at all when it would not change. A value mends a wrong one. Throws `usage` when the value is not allowed,
 * `invalid_settings` when anything else in the file is wrong, or when a wrong value would go without a right one in its place.
 */
export function writeSetting<Name extends SettingName>(file: string, name: Name, value: Settings[Name] | undefined): void {
  const before = readBefore(file, name, value === undefined);
  const after: Record<string, unknown> = { ...before };
  if (value === undefined) delete after[name];
  else after[name] = value;
  const problems = validateSettings(after);
  // What else the file holds was valid when it was read: it is the new value that is not.
  if (problems.length > 0) {
    throw new Failure('usage', `the setting ${name} cannot be ${shownValue(value)}: ${problems.join('; ')}`, {
      affected: [shownValue(value)],
      advice: 'The settings are as they were.',
    });
  }
  if (isDeepStrictEqual(after, before)) return;
  replaceFile(file, Buffer.from(`${JSON.stringify(after, null, 2)}\n`));
}
