import { readFileSync, statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../failure.ts';
import { defaultSettings, SETTINGS_FILE } from './defaults.ts';
import { replaceFile } from './replace-file.ts';
import type { settingsSchema } from './schema.ts';
import type { FromSchema } from './schema-type.ts';
import { describeSchemaErrors } from './schema-validator.ts';
import { untrusted } from './trusted-place.ts';
import { validateSettings as matchesSchema } from './validators.generated.js';

/** What the settings file may hold. */
export type SettingsFile = FromSchema<typeof settingsSchema>;

/** Every setting, with defaults for what the file leaves out. */
export type Settings = { readonly [Name in keyof SettingsFile]-?: NonNullable<SettingsFile[Name]> };

export type SettingName = keyof Settings;

/** What is wrong with the contents of a settings file, a sentence each; empty when nothing is. */
export function validateSettings(value: unknown): string[] {
  return matchesSchema(value) ? [] : describeSchemaErrors(matchesSchema.errors);
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

/** The contents of a settings file, undefined when there is none. */
function readSettingsFile(file: string): SettingsFile | undefined {
  const text = readOnce(file);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(file, `is not JSON: ${describeSyntaxError(text, error as SyntaxError)}`, error);
  }
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

/** One setting as it is in force with this file, which may be missing. */
export function readSetting<Name extends SettingName>(file: string, name: Name): Settings[Name] {
  return { ...defaultSettings(), ...readSettingsFile(file) }[name];
}

/**
 * Changes one setting in the file and keeps the others; undefined goes back to the default. The file is replaced as a whole
 * (mode 0600), and not at all when it would not change. Throws `usage` when the value is not allowed, `invalid_settings` when the file was
 * wrong before.
 */
export function writeSetting<Name extends SettingName>(file: string, name: Name, value: Settings[Name] | undefined): void {
  const before = readSettingsFile(file);
  const after: Record<string, unknown> = { ...before };
  if (value === undefined) delete after[name];
  else after[name] = value;
  const problems = validateSettings(after);
  // What the file held was valid when it was read: it is the new value that is not.
  if (problems.length > 0) {
    throw new Failure('usage', `the setting ${name} cannot be ${JSON.stringify(value)}: ${problems.join('; ')}`, {
      affected: [JSON.stringify(value)],
      advice: 'The settings are as they were.',
    });
  }
  if (isDeepStrictEqual(after, before ?? {})) return;
  replaceFile(file, Buffer.from(`${JSON.stringify(after, null, 2)}\n`));
}
