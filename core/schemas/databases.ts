import type { FromSchema } from '../config/schema-type.ts';
import { briefErrorSchema, countSchema, orNull, timeSchema } from './parts.ts';
import {
  atSchema,
  DOUBT_REQUIRED,
  doubtProperties,
  pointInTimeSchema,
  UNIT_REQUIRED,
  unitArgumentSchema,
  unitProperties,
} from './reading.ts';
import { subjectProperties } from './subject.ts';

/** Lists the databases of a unit, or of all of a server, as they were at a point in time. */
export const databasesRequest = {
  type: 'object',
  properties: {
    ...subjectProperties,
    unit: { ...unitArgumentSchema, description: `${unitArgumentSchema.description} None: all units of the server.` },
    at: atSchema,
  },
  additionalProperties: false,
} as const;

const errorOrNull = orNull(briefErrorSchema);

const countOrNull = orNull(countSchema);

const databaseSchema = {
  type: 'object',
  properties: {
    engine: { enum: ['mysql', 'postgresql'] },
    name: { type: 'string' },
    path: { type: 'string', description: 'Of its dump in the snapshot.' },
    result: {
      enum: ['ok', 'failed'],
      description: 'failed: this snapshot has no dump of its own; an earlier one stands at `path`, if there is any.',
    },
    server: { type: 'string', description: 'The version of the database server.' },
    characterSet: { type: 'string' },
    collation: { type: 'string' },
    size: { ...countOrNull, description: 'Of the dump, in bytes; null when it failed, as are the next five.' },
    sha256: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    tables: { ...countOrNull, description: 'Tables whose rows the dump has.' },
    rows: countOrNull,
    consistency: {
      enum: ['snapshot', 'locked', null],
      description: 'What made the dump of one moment: a transaction, or a lock, where some tables know no transactions.',
    },
    leftOut: {
      type: 'array',
      items: { type: 'string' },
      description: 'What the dump does not have, because it could not be dumped, and why. Not there: it has all.',
    },
    at: { ...timeSchema, description: 'The moment that the dump shows.' },
    seconds: { type: 'number', description: 'How long the dump took.' },
    secondsBeforeFiles: { type: 'number', description: 'How long after that moment the reading of the files began.' },
    error: errorOrNull,
  },
  required: [
    ...(['engine', 'name', 'path', 'result', 'server', 'characterSet', 'collation', 'size', 'sha256', 'tables', 'rows'] as const),
    ...(['consistency', 'at', 'seconds', 'secondsBeforeFiles', 'error'] as const),
  ],
  additionalProperties: false,
} as const;

const databasesSchema = { type: 'array', items: databaseSchema } as const;

const oneOfAllSchema = {
  type: 'object',
  properties: {
    ...doubtProperties,
    ...unitProperties,
    moment: {
      anyOf: [pointInTimeSchema, { type: 'null' }],
      description: 'Null: it has no backup of that time, or nothing of it could be read.',
    },
    databases: databasesSchema,
    error: { ...errorOrNull, description: 'Why nothing of this unit could be read.' },
  },
  required: [...DOUBT_REQUIRED, ...UNIT_REQUIRED, 'moment', 'databases', 'error'],
  additionalProperties: false,
} as const;

const OF_UNIT_REQUIRED = [...UNIT_REQUIRED, 'moment', 'databases'] as const;

/** Of the unit that was named its databases; of none all units. */
export const databasesResult = {
  type: 'object',
  properties: {
    ...doubtProperties,
    status: {
      ...doubtProperties.status,
      description: 'partial: what the warnings name could not be used, or one of the units is partial.',
    },
    ...unitProperties,
    moment: pointInTimeSchema,
    databases: databasesSchema,
    units: {
      type: 'array',
      items: oneOfAllSchema,
      description: 'In the place of the five others where no unit was named; also units whose account is gone.',
    },
  },
  required: DOUBT_REQUIRED,
  oneOf: [{ required: OF_UNIT_REQUIRED }, { required: ['units'] }],
  additionalProperties: false,
} as const;

export type DatabasesRequest = FromSchema<typeof databasesRequest>;
export type DatabasesResult = FromSchema<typeof databasesResult>;
type Whole<Keys extends keyof DatabasesResult> = Pick<Required<DatabasesResult>, Keys | (typeof DOUBT_REQUIRED)[number]>;
export type UnitDatabasesResult = Whole<(typeof OF_UNIT_REQUIRED)[number]>;
export type AllDatabasesResult = Whole<'units'>;
export type DatabasesOfOne = FromSchema<typeof oneOfAllSchema>;
export type ListedDatabase = FromSchema<typeof databaseSchema>;
