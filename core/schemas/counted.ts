import type { FromSchema } from '../config/schema-type.ts';
import { countSchema } from './parts.ts';

const statsArgumentSchema = { type: 'boolean', description: 'Count what is asked of the repository, and tell it in `stats`.' } as const;

/** What was asked of the place of the repository. */
export const statsSchema = {
  type: 'object',
  properties: {
    requests: { ...countSchema, description: 'All requests, those that failed and were repeated included.' },
    byKind: {
      type: 'object',
      properties: {
        read: countSchema,
        size: countSchema,
        list: countSchema,
        write: countSchema,
        remove: countSchema,
        other: countSchema,
      },
      required: ['read', 'size', 'list', 'write', 'remove', 'other'],
      additionalProperties: false,
    },
    bytesSent: { ...countSchema, description: 'Bytes of objects.' },
    bytesReceived: countSchema,
  },
  required: ['requests', 'byKind', 'bytesSent', 'bytesReceived'],
  additionalProperties: false,
} as const;

export type WireStats = FromSchema<typeof statsSchema>;

/** The messages of a method. */
interface Messages {
  readonly request: { readonly properties: object };
  readonly result: { readonly properties: object };
}

type WithProperty<Schema extends { readonly properties: object }, Added> = Omit<Schema, 'properties'> & {
  readonly properties: Schema['properties'] & Added;
};

function withProperty<Schema extends { readonly properties: object }, Added extends object>(
  schema: Schema,
  added: Added,
): WithProperty<Schema, Added> {
  return { ...schema, properties: { ...schema.properties, ...added } } as unknown as WithProperty<Schema, Added>;
}

/** The messages of a method that reaches the repository: it can be asked to count that. */
export function counted<M extends Messages>({
  request,
  result,
}: M): {
  readonly request: WithProperty<M['request'], { readonly stats: typeof statsArgumentSchema }>;
  readonly result: WithProperty<M['result'], { readonly stats: typeof statsSchema }>;
} {
  return { request: withProperty(request, { stats: statsArgumentSchema }), result: withProperty(result, { stats: statsSchema }) };
}

const fromCopySchema = {
  type: 'string',
  description: 'The name of a copy (setting `copies`), which is meant instead of the repository.',
} as const;

/** The messages of a method that can be about a copy as well. */
export function elsewhere<M extends Messages>({
  request,
  result,
}: M): { readonly request: WithProperty<M['request'], { readonly fromCopy: typeof fromCopySchema }>; readonly result: M['result'] } {
  return { request: withProperty(request, { fromCopy: fromCopySchema }), result };
}
