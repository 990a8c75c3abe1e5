/**
 * Bundles the program once before the tests, as the build does: it starts in a third of the time that it needs from source. `MAIN` of
 * `program.ts` names it for those who start it.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBundles, PROGRAM_BUNDLE } from '../build/bundles.ts';

let folder: string | undefined;

export async function mochaGlobalSetup(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-built-'));
  // Some tests start it as another user.
  chmodSync(folder, 0o755);
  await buildBundles(folder);
  process.env.BUILT_PROGRAM = join(folder, PROGRAM_BUNDLE);
}

export function mochaGlobalTeardown(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true });
}
