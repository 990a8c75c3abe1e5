import { createRequire } from 'node:module';
import { getRawAsset, isSea } from 'node:sea';
import { Script } from 'node:vm';

/**
 * Loads a library that few commands need and that the build keeps out of the program's bundle (`build/late-libraries.ts`): each start of
 * the program would pay for its size.
 */
export function loadLibrary(file: string): unknown {
  const require = createRequire(import.meta.url);
  if (!isSea()) return require(`./${file}`);
  const source = Buffer.from(getRawAsset(file) as ArrayBuffer).latin1Slice();
  const module: { exports: unknown } = { exports: {} };
  const run = new Script(`(function (exports, require, module) {${source}\n})`, { filename: file }).runInThisContext();
  run(module.exports, require, module);
  return module.exports;
}
