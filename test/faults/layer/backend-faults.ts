import { LocalBackend } from '../../../core/repository/backends/local.ts';
import { localFailure } from '../../../core/repository/backends/local-failure.ts';
import { LocalWriter } from '../../../core/repository/backends/local-writer.ts';
import { die } from './die.ts';
import { ERRNOS } from './fault.ts';
import { BACKEND_CALLS } from './points.ts';
import type { Deed } from './shared-state.ts';

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Meet = (call: string) => () => Deed | undefined;

/** Has the calls of a backend, and of its writers, fail as a whole: what a remote place does. */
export function wrapBackend(meet: Meet): void {
  for (const { prototype } of [LocalBackend, LocalWriter]) {
    const methods = prototype as unknown as Record<string, Method>;
    for (const name of BACKEND_CALLS) {
      const original = methods[name];
      if (original !== undefined) methods[name] = wrapped(name, original, meet(`backend.${name}`));
    }
  }
}

function failureOf({ action, errno }: Deed, name: string): Error {
  if (action === 'defect') return new TypeError(`a defect at ${name}`);
  if (action === 'kill') die();
  return localFailure(name, Object.assign(new Error(`${errno}: a fault of the test, ${name}`), { code: errno, errno: -ERRNOS[errno] }));
}

function wrapped(name: string, original: Method, meet: () => Deed | undefined): Method {
  if (name === 'list') {
    return async function* (this: unknown, ...args) {
      const deed = meet();
      if (deed !== undefined) throw failureOf(deed, name);
      yield* original.apply(this, args) as AsyncIterable<unknown>;
    };
  }
  if (name === 'openDirectly') {
    return function (this: unknown, ...args) {
      const deed = meet();
      if (deed !== undefined) throw failureOf(deed, name);
      return original.apply(this, args);
    };
  }
  return async function (this: unknown, ...args) {
    const deed = meet();
    if (deed === undefined) return original.apply(this, args);
    if (deed.action === 'late') await original.apply(this, args);
    throw failureOf(deed, name);
  };
}
