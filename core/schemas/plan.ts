import type { FromSchema } from '../config/schema-type.ts';
import { restoreRequest, restoreResult } from './restore.ts';

const { dryRun: _, withDatabases: __, ...planned } = restoreRequest.properties;

/** Tells what a restore would read, write and overwrite; the request is that of the restore. */
export const planRequest = { ...restoreRequest, properties: planned } as const;

/** The result is that of a dry run. */
export const planResult = restoreResult;

export type PlanRequest = FromSchema<typeof planRequest>;
export type PlanResult = FromSchema<typeof planResult>;
