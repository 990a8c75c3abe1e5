import { createRequire } from 'node:module';
import { getRawAsset, isSea } from 'node:sea';
import { Script } from 'node:vm';

/**
 * Loads a library that few commands need and that the build keeps out of the program's bundle (`build/late-libraries.ts`): each start of
 * the program would pay for its size.
 */
export function loadLibrary(file: string): unknown {
  if (!isSea()) return createRequire(import.meta.url)(`./${file}`);
  const source = Buffer.from(getRawAsset(file) as ArrayBuffer).latin1Slice();
  const module: { exports: unknown } = { exports: {} };
  const run = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
  }).runInThisContext();
  // Nothing of it is in a file: what it looks for beside itself is not there.
  run(module.exports, builtin, module, `/${file}`, '/');
  return module.exports;
}

/** Nothing from the disk: some libraries look for others that may be there or not. */
function builtin(name: string): unknown {
  const found = process.getBuiltinModule(name);
  if (found === undefined) throw Object.assign(new Error(`the program has no module ${name}`), { code: 'MODULE_NOT_FOUND' });
  return found;
}
