import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, unitNameSchema } from './parts.ts';
import { unitArgumentSchema } from './reading.ts';

/** Heals what is damaged of the backups of a unit, or of all, by recovery data and by copies in the state directory. */
export const repairRequest = {
  type: 'object',
  properties: {
    unit: unitArgumentSchema,
    dryRun: { type: 'boolean', description: 'Say what would be healed, and change nothing.' },
  },
  additionalProperties: false,
} as const;

const healed = {
  type: 'object',
  properties: {
    object: { type: 'string', description: 'Its path below the repository.' },
    from: { enum: ['recovery-data', 'state-directory', 'other-objects'], description: 'What it was healed by.' },
  },
  required: ['object', 'from'],
  additionalProperties: false,
} as const;

const lost = {
  type: 'object',
  properties: {
    object: { type: 'string', description: 'Its path below the repository.' },
    code: { type: 'string' },
    message: { type: 'string', description: 'Why it cannot be healed.' },
    snapshots: { type: 'array', items: { type: 'string' }, description: 'Ids of the snapshots that name it.' },
  },
  required: ['object', 'code', 'message', 'snapshots'],
  additionalProperties: false,
} as const;

export const repairResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'damaged'], description: 'damaged: something cannot be healed.' },
    dryRun: { type: 'boolean' },
    units: { type: 'array', items: unitNameSchema },
    objects: { ...countSchema, description: 'How many were compared with their records.' },
    bytesRead: countSchema,
    healed: { type: 'array', items: healed },
    lost: { type: 'array', items: lost },
    protected: {
      type: 'array',
      items: { type: 'string' },
      description: 'Sound objects whose recovery data was missing or damaged, and was made anew.',
    },
  },
  required: ['status', 'dryRun', 'units', 'objects', 'bytesRead', 'healed', 'lost', 'protected'],
  additionalProperties: false,
} as const;

export type RepairRequest = FromSchema<typeof repairRequest>;
export type RepairResult = FromSchema<typeof repairResult>;
export type HealedObject = FromSchema<typeof healed>;
export type LostObject = FromSchema<typeof lost>;
