import type { FromSchema } from '../config/schema-type.ts';
import { describeSchemaErrors, type Validator } from '../config/schema-validator.ts';
import { Failure } from '../failure.ts';
import type { DeletionRecord } from './history/deletion-record.ts';
import type { HoldRecord } from './hold-record.ts';
import type { MachineRecord, RepositoryIdentity, ServerIdentity, UnitIdentity } from './identity.ts';
import type { KeyRecord } from './keys/key-record.ts';
import { FORMAT_VERSION, type SnapshotRecord } from './record.ts';
import type { RunRecord } from './run-record.ts';
import type {
  deletionSchema,
  holdSchema,
  keySchema,
  machineSchema,
  noteSchema,
  repositorySchema,
  runSchema,
  serverSchema,
  snapshotSchema,
  unitSchema,
} from './schemas.ts';
import type { UnitNote } from './unit-note.ts';
import {
  validateDeletion,
  validateHold,
  validateKey,
  validateMachine,
  validateNote,
  validateRepository,
  validateRun,
  validateServer,
  validateSnapshot,
  validateUnit,
} from './validators.generated.js';

/** One kind of JSON object that a repository holds. */
export interface DocumentKind<T> {
  readonly title: string;
  readonly validate: Validator<unknown>;
  /** The largest that is read, in bytes: what a repository says about itself is not trusted with the memory of this machine. */
  readonly limit: number;
  /** What only those may read for whom the repository is encrypted, and what stands in its place in clear; undefined where nothing is private. */
  readonly hide?: ((value: T) => { readonly open: T; readonly hidden: Partial<T> }) | undefined;
  /** The names of those members. */
  readonly hidden: readonly (keyof T)[];
  /** Exists for the type alone. */
  readonly value?: T;
}

type Hiding<T> = Pick<DocumentKind<T>, 'hide' | 'hidden'>;

/** Hides some members behind others; undefined in the place of one leaves it out. */
function hiding<T extends object>(placeholders: { readonly [K in keyof T]?: T[K] | undefined }): Hiding<T> {
  const names = Object.keys(placeholders) as (keyof T)[];
  const hide = (value: T): { open: T; hidden: Partial<T> } => {
    const open: Partial<T> = { ...value };
    const hidden: Partial<T> = {};
    for (const name of names) {
      if (value[name] !== undefined) hidden[name] = value[name];
      const placeholder = placeholders[name];
      if (placeholder === undefined) delete open[name];
      else open[name] = placeholder;
    }
    return { open: open as T, hidden };
  };
  return { hide, hidden: names };
}

/** A record of a run without the words of its failures. */
function withoutMessages(run: RunRecord): { open: RunRecord; hidden: Partial<RunRecord> } {
  const units = run.units.map((unit) => ({ ...unit, failure: unit.failure && { ...unit.failure, message: '' } }));
  return { open: { ...run, units }, hidden: { units: run.units } };
}

const SMALL = 256 * 1024;
const LARGE = 64 * 1024 * 1024;

type Same<A, B> = A extends B ? (B extends A ? true : false) : false;

/** A kind whose TypeScript type and schema say the same: this does not compile when only one of them was changed. */
function kind<T, S>(
  title: string,
  limit: number,
  validate: Same<T, FromSchema<S>> extends true ? Validator<unknown> : never,
  hiding: Hiding<T> = { hidden: [] },
): DocumentKind<T> {
  return { title, limit, validate, ...hiding };
}

export const repositoryDocument = kind<RepositoryIdentity, typeof repositorySchema>('repository', SMALL, validateRepository);
export const serverDocument = kind<ServerIdentity, typeof serverSchema>('server', SMALL, validateServer);
export const machineDocument = kind<MachineRecord, typeof machineSchema>('machine record', LARGE, validateMachine);
export const noteDocument = kind<UnitNote, typeof noteSchema>(
  'note',
  SMALL,
  validateNote,
  hiding<UnitNote>({ reason: '', domain: undefined }),
);
export const unitDocument = kind<UnitIdentity, typeof unitSchema>(
  'unit',
  SMALL,
  validateUnit,
  hiding<UnitIdentity>({ domain: null, adminUser: null }),
);
export const snapshotDocument = kind<SnapshotRecord, typeof snapshotSchema>(
  'snapshot record',
  LARGE,
  validateSnapshot,
  hiding<SnapshotRecord>({ roots: [], devices: undefined, warnings: [], excluded: undefined, exporters: [], databases: undefined }),
);
export const holdDocument = kind<HoldRecord, typeof holdSchema>('hold', SMALL, validateHold, hiding<HoldRecord>({ reason: '' }));
export const runDocument = kind<RunRecord, typeof runSchema>('run record', LARGE, validateRun, {
  hide: withoutMessages,
  hidden: ['units'],
});
export const deletionDocument = kind<DeletionRecord, typeof deletionSchema>('deletion record', LARGE, validateDeletion);
export const keyDocument = kind<KeyRecord, typeof keySchema>('key record', SMALL, validateKey);

/** The bytes of a document: UTF-8 JSON, indented by two, one newline at the end. Throws when it breaks its own schema. */
export function encodeDocument<T>(kind: DocumentKind<T>, value: T): Buffer {
  if (!kind.validate(value)) {
    throw new Failure('internal', `this ${kind.title} would not be readable: ${describeSchemaErrors(kind.validate.errors).join('; ')}`);
  }
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

/** Each string of a JSON text, with the colon behind it when it is a key. */
const STRINGS = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** Whether any object of a text has a key twice, of which readers take one or the other. `value` is what the text says. */
function hasKeyTwice(text: string, value: unknown): boolean {
  let written = 0;
  for (const [, colon] of text.matchAll(STRINGS)) if (colon !== undefined) written++;
  return written !== keysOf(value);
}

function keysOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce((sum: number, each) => sum + keysOf(each), 0);
  return inner + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

/**
 * Reads a document's bytes; its signature is no part of the value. Throws `repository_newer` when its format is newer than this program's, and
 * `repository_damaged` when it is not JSON or not what its schema says.
 */
export function decodeDocument<T>(kind: DocumentKind<T>, bytes: Buffer, name: string): T {
  let value: unknown;
  let isTwice = false;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
    isTwice = hasKeyTwice(text, value);
  } catch (cause) {
    throw new Failure('repository_damaged', `${name} is not JSON`, { affected: [name], cause });
  }
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (typeof version === 'number' && version > FORMAT_VERSION) {
    throw new Failure('repository_newer', `${name} has the format version ${version}, this program knows ${FORMAT_VERSION}`, {
      affected: [name],
      advice: 'Use a newer version of this program.',
    });
  }
  if (isTwice) throw new Failure('repository_damaged', `${name} has a key twice`, { affected: [name] });
  if (!kind.validate(value)) {
    const problems = describeSchemaErrors(kind.validate.errors).slice(0, 3).join('; ');
    throw new Failure('repository_damaged', `${name} is not a valid ${kind.title}: ${problems}`, { affected: [name] });
  }
  delete (value as { signature?: unknown }).signature;
  return value as T;
}
