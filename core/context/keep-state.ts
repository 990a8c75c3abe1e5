import { asFailure } from '../failure.ts';
import type { Notify } from './notice.ts';

/** Does what keeps something in a folder of the state. Where that fails it is said and ends nothing: the repository says it, too, or it is found out again. */
export function keepInState(folder: string, notify: Notify, keep: () => void): void {
  try {
    keep();
  } catch (error) {
    const message = `the state cannot be kept: ${asFailure(error).message}`;
    notify({ level: 'warning', code: 'state_unusable', message, affected: [folder] });
  }
}
