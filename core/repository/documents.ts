import type { FromSchema } from '../config/schema-type.ts';
import { describeSchemaErrors, type Validator } from '../config/schema-validator.ts';
import { Failure } from '../failure.ts';
import type { HoldRecord } from './hold-record.ts';
import type { MachineRecord, RepositoryIdentity, ServerIdentity, UnitIdentity } from './identity.ts';
import { FORMAT_VERSION, type SnapshotRecord } from './record.ts';
import type { RunRecord } from './run-record.ts';
import type {
  holdSchema,
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
  validateHold,
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
  /** Exists for the type alone. */
  readonly value?: T;
}

const SMALL = 256 * 1024;
const LARGE = 64 * 1024 * 1024;

type Same<A, B> = A extends B ? (B extends A ? true : false) : false;

/** A kind whose TypeScript type and schema say the same: this does not compile when only one of them was changed. */
function kind<T, S>(
  title: string,
  limit: number,
  validate: Same<T, FromSchema<S>> extends true ? Validator<unknown> : never,
): DocumentKind<T> {
  return { title, limit, validate };
}

export const repositoryDocument = kind<RepositoryIdentity, typeof repositorySchema>('repository', SMALL, validateRepository);
export const serverDocument = kind<ServerIdentity, typeof serverSchema>('server', SMALL, validateServer);
export const machineDocument = kind<MachineRecord, typeof machineSchema>('machine record', SMALL, validateMachine);
export const noteDocument = kind<UnitNote, typeof noteSchema>('note', SMALL, validateNote);
export const unitDocument = kind<UnitIdentity, typeof unitSchema>('unit', SMALL, validateUnit);
export const snapshotDocument = kind<SnapshotRecord, typeof snapshotSchema>('snapshot record', LARGE, validateSnapshot);
export const holdDocument = kind<HoldRecord, typeof holdSchema>('hold', SMALL, validateHold);
export const runDocument = kind<RunRecord, typeof runSchema>('run record', LARGE, validateRun);

/** The bytes of a document: UTF-8 JSON, indented by two, one newline at the end. Throws when it breaks its own schema. */
export function encodeDocument<T>(kind: DocumentKind<T>, value: T): Buffer {
  if (!kind.validate(value)) {
    throw new Failure('internal', `this ${kind.title} would not be readable: ${describeSchemaErrors(kind.validate.errors).join('; ')}`);
  }
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Reads a document's bytes. Throws `repository_newer` when its format is newer than this program's, and
 * `repository_damaged` when it is not JSON or not what its schema says.
 */
export function decodeDocument<T>(kind: DocumentKind<T>, bytes: Buffer, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
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
  if (!kind.validate(value)) {
    const problems = describeSchemaErrors(kind.validate.errors).slice(0, 3).join('; ');
    throw new Failure('repository_damaged', `${name} is not a valid ${kind.title}: ${problems}`, { affected: [name] });
  }
  return value as T;
}
