import { limitsOf } from '../config/limits.ts';
import type { Context } from '../context/context.ts';
import type { Waiting } from './locks.ts';

/** Waits for a lock for so many minutes, by default as long as the settings say, and tells whoever follows what for. */
export function toldWaiting(
  { settings, reporter, signal }: Pick<Context, 'settings' | 'reporter' | 'signal'>,
  minutes = limitsOf(settings).wait,
): Waiting {
  return { minutes, signal, onWait: ({ message }) => reporter.log({ level: 'info', code: 'waiting', message: `${message}; waiting` }) };
}
