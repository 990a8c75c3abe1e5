/**
 * Compiles the bundles in a folder for the single executable: `node compile-ahead.ts FOLDER`. Beside each bundle it writes `.js`, the bundle
 * as one function, and `.js.code`, what V8 compiled of it. V8 takes that only with the flags that this process has.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { constants, Script } from 'node:vm';
import { WORKER_BUNDLE } from '../core/workers.ts';
import { PROGRAM_BUNDLE } from './bundles.ts';
import { Rehearsal } from './rehearsal.ts';

/** The bundle as `core/start.ts` calls it. */
type Program = (exports: object, require: NodeJS.Require, module: object, filename: string, dirname: string) => void;

class Bundle {
  readonly path: string;
  readonly #source: string;
  readonly #options: { filename: string; importModuleDynamically: number };

  constructor(folder: string, name: string) {
    this.path = join(folder, name);
    this.#source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(this.path, 'latin1')}\n})`;
    // core/start.ts reads it as one byte a character.
    if (/[^\0-\x7f]/.test(this.#source)) throw new Error(`${name} has characters beyond ASCII`);
    this.#options = { filename: `${name}.js`, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER };
  }

  compile(): Script {
    return new Script(this.#source, this.#options as never);
  }

  /** Writes what is compiled of the script by now. */
  write(script: Script): void {
    const code = script.createCachedData();
    const taken = new Script(this.#source, { ...this.#options, cachedData: code } as never);
    if (taken.cachedDataRejected !== false) throw new Error(`V8 rejects its own code of ${this.path}`);
    writeFileSync(`${this.path}.js`, this.#source);
    writeFileSync(`${this.path}.js.code`, code);
  }
}

const folder = process.argv[2] as string;

// All of what threads run: it is little.
setFlagsFromString('--no-lazy');
const worker = new Bundle(folder, WORKER_BUNDLE);
const compiledWorker = worker.compile();
setFlagsFromString('--lazy');
worker.write(compiledWorker);

// Of the program what usual commands call: to load the rest takes longer than to compile a part of it now and then.
const program = new Bundle(folder, PROGRAM_BUNDLE);
const compiled = program.compile();
setFlagsFromString('--no-flush-bytecode');
const run = compiled.runInThisContext() as Program;
const rehearsal = new Rehearsal(() => run({}, createRequire(program.path), {}, program.path, folder));
await rehearsal.perform();
setFlagsFromString('--flush-bytecode');
program.write(compiled);
