import { identityProperties } from './keys.ts';
import { policySchema, unitArgumentSchema } from './reading.ts';
import { earlierSchema, serverArgumentSchema } from './servers.ts';

/** Whose backups a request looks into, for whom, and with which keys. */
export const subjectProperties = {
  unit: unitArgumentSchema,
  server: serverArgumentSchema,
  ...identityProperties,
  policy: policySchema,
  earlier: earlierSchema,
} as const;
