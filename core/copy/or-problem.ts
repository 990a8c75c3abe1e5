import { type Copied, isDamage } from './copied.ts';

/** Does something; damage is a problem of the copy, and does not end it. */
export async function orProblem(copied: Copied, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!isDamage(error)) throw error;
    copied.problem(error);
  }
}
