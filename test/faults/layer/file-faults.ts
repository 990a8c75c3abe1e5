import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { die } from './die.ts';
import { ERRNOS } from './fault.ts';
import { FILE_CALLS } from './file-calls.ts';
import type { Deed, SharedState } from './shared-state.ts';

type FileCall = (...args: unknown[]) => unknown;
type Meet = (call: string) => () => Deed | undefined;

/** Puts a layer over the functions of node:fs that the core calls in this thread; calls of others, Node's loader for one, pass. */
export function wrapFileCalls(state: SharedState, meet: Meet): void {
  const functions = fs as unknown as Record<string, FileCall>;
  for (const name of FILE_CALLS) {
    const original = functions[name] as FileCall;
    const meetCall = meet(`fs.${name}`);
    const layer = name.endsWith('Sync') ? synchronous : asynchronous;
    functions[name] = keepProperties(original, (...args) => {
      const deed = state.isArmed && comesFromCore() ? meetCall() : undefined;
      return deed === undefined ? original.apply(fs, args) : layer(deed, name, original, args);
    });
  }
  syncBuiltinESMExports();
}

/** `promisify` finds in a property what the callback of `fs.write` gets. */
function keepProperties(original: FileCall, layer: FileCall): FileCall {
  return Object.defineProperties(layer, Object.getOwnPropertyDescriptors(original));
}

const CALLERS = 8;

function comesFromCore(): boolean {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = CALLERS;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = limit;
  const frames = stack.split('\n').slice(2);
  return frames.some((frame) => frame.includes('/core/')) && !frames.some((frame) => frame.includes('node:internal/modules'));
}

function systemError({ errno }: Deed, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${errno}: a fault of the test, ${syscall}`), { code: errno, errno: -ERRNOS[errno], syscall });
}

function synchronous(deed: Deed, name: string, original: FileCall, args: unknown[]): unknown {
  if (deed.action === 'kill') die();
  // A descriptor is closed whatever close(2) says.
  if (deed.action === 'late' || name === 'closeSync') original.apply(fs, args);
  if (deed.action === 'defect') throw new TypeError(`a defect at ${name}`);
  if (deed.action === 'short') return original.apply(fs, shortened(args));
  // It says of what cannot be looked at that it is not there.
  if (name === 'existsSync') return false;
  throw systemError(deed, name.replace('Sync', ''));
}

function asynchronous(deed: Deed, name: string, original: FileCall, args: unknown[]): unknown {
  if (deed.action === 'defect') throw new TypeError(`a defect at ${name}`);
  if (deed.action === 'kill') die();
  if (deed.action === 'short') return original.apply(fs, shortened(args));
  const done = args.at(-1) as (error: Error) => void;
  const fail = (): void => done(systemError(deed, name));
  if (deed.action === 'late') original.apply(fs, [...args.slice(0, -1), fail]);
  else setImmediate(fail);
}

/** `read` and `write` with half the length: (descriptor, buffer, offset, length, position). */
function shortened([descriptor, buffer, offset = 0, length, ...rest]: unknown[]): unknown[] {
  const wanted = (length ?? (buffer as Uint8Array).length - Number(offset)) as number;
  return [descriptor, buffer, offset, Math.max(1, Math.floor(wanted / 2)), ...rest];
}
