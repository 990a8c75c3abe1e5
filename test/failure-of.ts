import { Failure } from '../core/failure.ts';

/** The failure that an action ends with; anything else, also success, is an error of the test. */
export async function failureOf(action: () => unknown): Promise<Failure> {
  try {
    await action();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing failed');
}
