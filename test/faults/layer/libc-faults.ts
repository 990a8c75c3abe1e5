import koffi from 'koffi';
import { libc } from '../../../core/linux/libc.ts';
import { die } from './die.ts';
import { ERRNOS } from './fault.ts';
import { LIBC_CALLS } from './libc-calls.ts';
import type { Deed } from './shared-state.ts';

type Native = ((...args: unknown[]) => unknown) & { async?: (...args: unknown[]) => void };
type Meet = (call: string) => () => Deed | undefined;

/** Puts a layer over each function of the C library that the core calls in this thread. */
export function wrapLibc(meet: Meet): void {
  const functions = libc as unknown as Record<string, Native>;
  for (const name of LIBC_CALLS) functions[name] = wrapped(name, functions[name] as Native, meet(`libc.${name}`));
}

function wrapped(name: string, native: Native, meet: () => Deed | undefined): Native {
  const layer: Native = (...args) => {
    const deed = meet();
    return deed === undefined ? native(...args) : refuse(deed, name, () => native(...args));
  };
  layer.async = (...args) => {
    const deed = meet();
    const done = args.at(-1) as (error: unknown, result: unknown) => void;
    if (deed === undefined) native.async?.(...args);
    else if (deed.action === 'defect') throw new TypeError(`a defect at ${name}`);
    else if (deed.action === 'kill') die();
    else setImmediate(() => done(null, -1));
  };
  return layer;
}

function refuse({ action, errno }: Deed, name: string, call: () => unknown): number {
  if (action === 'kill') die();
  // A descriptor is closed whatever close(2) says.
  if (action === 'late' || name === 'close') call();
  if (action === 'defect') throw new TypeError(`a defect at ${name}`);
  koffi.errno(ERRNOS[errno]);
  return -1;
}
