import { getRawAsset } from 'node:sea';
import { constants, Script } from 'node:vm';

/** The bundle that this thread of the single executable runs. The build puts its name here. */
declare const BUNDLE: string;

const asset = (name: string): Buffer => Buffer.from(getRawAsset(name) as ArrayBuffer);

// What the build compiled is taken as it is. Compiling again, function by function, took a sixth of the time of a short command.
const program = new Script(asset(BUNDLE).latin1Slice(), {
  filename: BUNDLE,
  cachedData: asset(`${BUNDLE}.code`),
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
program.runInThisContext()(exports, require, module, __filename, __dirname);
