/**
 * Compiles bundles for the single executable: `node compile-ahead.ts BUNDLE ...`. Beside each bundle it writes `.js`, the bundle as one
 * function, and `.js.code`, what V8 compiled of it. V8 takes that only with the flags that this process has.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

function compileAhead(bundle: string): void {
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(bundle, 'latin1')}\n})`;
  // core/start.ts reads it as one byte a character.
  if (/[^\0-\x7f]/.test(source)) throw new Error(`${bundle} has characters beyond ASCII`);
  const filename = basename(bundle);
  // All functions, and not only those that a run of the build happens to call.
  setFlagsFromString('--no-lazy');
  const script = new Script(source, { filename });
  setFlagsFromString('--lazy');
  const code = script.createCachedData();
  if (new Script(source, { filename, cachedData: code }).cachedDataRejected !== false)
    throw new Error(`V8 rejects its own code of ${bundle}`);
  writeFileSync(`${bundle}.js`, source);
  writeFileSync(`${bundle}.js.code`, code);
}

for (const bundle of process.argv.slice(2)) compileAhead(bundle);
