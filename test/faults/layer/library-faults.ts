import { createRequire, syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';
import { die } from './die.ts';
import { ERRNOS } from './fault.ts';
import { XATTR_CALLS, ZLIB_CALLS } from './points.ts';
import type { Deed } from './shared-state.ts';

type Call = (...args: unknown[]) => unknown;
type Meet = (call: string) => () => Deed | undefined;

/** Puts a layer over the native part of fs-xattr, which has the number of an error and a name for few. */
export function wrapXattrs(meet: Meet): void {
  const addon = createRequire(fileURLToPath(import.meta.resolve('fs-xattr')))('./build/Release/xattr') as Record<string, Call>;
  wrapEach(
    addon,
    XATTR_CALLS,
    (name) => meet(`xattr.${name}`),
    ({ errno }) => ({ code: '', errno: ERRNOS[errno] }),
  );
}

/** Puts a layer over what the core takes from node:zlib, which fails for lack of memory. */
export function wrapZlib(meet: Meet): void {
  const functions = zlib as unknown as Record<string, Call>;
  wrapEach(
    functions,
    ZLIB_CALLS,
    (name) => meet(`zlib.${name}`),
    () => ({ code: 'ZSTD_error_memory_allocation', errno: 64 }),
  );
  syncBuiltinESMExports();
}

function wrapEach(
  functions: Record<string, Call>,
  names: readonly string[],
  meet: (name: string) => () => Deed | undefined,
  error: (deed: Deed) => object,
): void {
  for (const name of names) {
    const original = functions[name] as Call;
    const meetCall = meet(name);
    functions[name] = (...args) => {
      const deed = meetCall();
      if (deed === undefined) return original.apply(functions, args);
      if (deed.action === 'kill') die();
      if (deed.action === 'late') original.apply(functions, args);
      if (deed.action === 'defect') throw new TypeError(`a defect at ${name}`);
      throw Object.assign(new Error(`a fault of the test, ${name}`), error(deed));
    };
  }
}
