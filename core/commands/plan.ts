import type { Context } from '../context/context.ts';
import type { PlanRequest, PlanResult } from '../schemas/plan.ts';
import { restore } from './restore.ts';

/** Tells what a restore would read, write, overwrite and delete, and changes nothing: its own planner, stopped before it writes. */
export function plan(request: PlanRequest, context: Context): Promise<PlanResult> {
  return restore({ ...request, dryRun: true }, context);
}
