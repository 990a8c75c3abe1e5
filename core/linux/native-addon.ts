import { closeSync, constants, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getRawAsset, isSea } from 'node:sea';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { Failure } from '../failure.ts';
import { writeAll } from './write-all.ts';

/** The native addons that the program carries. Only the bundle loads them here; from source each library finds its own. */
export type NativeAddon = 'xattr' | 'koffi';

const O_TMPFILE = 0o20200000;

function open(path: string): unknown {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports;
}

/**
 * Writes the addon to a file without a name in `directory` and loads it through its descriptor. The descriptor stays open:
 * the C library knows what it loaded by its path, and a later file with the same number would be taken for this one.
 */
function loadUnnamed(addon: NativeAddon, directory: string): unknown {
  const descriptor = openSync(directory, O_TMPFILE | constants.O_RDWR, 0o700);
  try {
    writeAll(descriptor, new Uint8Array(getRawAsset(`${addon}.node`)));
    const path = `/proc/self/fd/${descriptor}`;
    const exports = open(path);
    setEnvironmentData(`addon ${addon}`, path);
    return exports;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * An addon that is part of the single executable, which leaves no file behind; of the bundle, the file beside it. A folder
 * that is mounted noexec, as /tmp often is, cannot be used: the one of the program comes first, then /run.
 */
export function loadNativeAddon(addon: NativeAddon): unknown {
  if (!isSea()) return open(join(import.meta.dirname, `${addon}.node`));
  // Threads started after the first loading share its file.
  const loaded = getEnvironmentData(`addon ${addon}`);
  if (typeof loaded === 'string') return open(loaded);
  const reasons: string[] = [];
  for (const directory of [dirname(process.execPath), '/run', '/dev/shm']) {
    try {
      return loadUnnamed(addon, directory);
    } catch (error) {
      reasons.push(`${directory}: ${(error as Error).message}`);
    }
  }
  throw new Failure('unsupported', `no folder to load the native part ${addon} from`, {
    affected: reasons,
    advice: 'Install the program in a folder that root can write to and that is not mounted noexec.',
  });
}
