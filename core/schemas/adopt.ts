import type { FromSchema } from '../config/schema-type.ts';
import { serverArgumentSchema } from './servers.ts';

/** Makes this machine the continuation of a server. */
export const adoptRequest = {
  type: 'object',
  properties: {
    server: { ...serverArgumentSchema, description: 'The name or the id of the server, as `servers` lists them.' },
    yes: { type: 'boolean', description: 'Even if another machine wrote as this server a short time ago.' },
  },
  required: ['server'],
  additionalProperties: false,
} as const;

export const adoptResult = {
  type: 'object',
  properties: {
    status: { const: 'ok' },
    server: { type: 'string', description: 'The id as which this machine writes from now on.' },
    name: { type: 'string', description: 'The host name of the machine that wrote as it until now.' },
  },
  required: ['status', 'server', 'name'],
  additionalProperties: false,
} as const;

export type AdoptRequest = FromSchema<typeof adoptRequest>;
export type AdoptResult = FromSchema<typeof adoptResult>;
