import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncFolder } from '../config/durable-folder.ts';
import { replaceFile } from '../config/replace-file.ts';
import { Failure } from '../failure.ts';
import { hasStateDirectory } from './state-directory.ts';

const FOLDER = 'kept';

/** The objects of which this machine keeps a copy: small, written once, named by nothing else or needed to find the others. */
const KEPT = /^servers\/[0-9a-f]{16}\/(server\.json|(machines|keys|notes|holds|deletions)\/[^/]+\.json|units\/[^/]+\/unit\.json)$/;

/**
 * Keeps the bytes of an object that this machine's server wrote, in the state directory: so it is missed when it goes, and put back. To be called when it is
 * stored. What cannot be kept is not missed. Other objects are passed over.
 */
export function keepObject(stateFolder: string, name: string, bytes: Uint8Array): void {
  if (!KEPT.test(name) || !hasStateDirectory(stateFolder)) return;
  try {
    replaceFile(join(stateFolder, FOLDER, name), bytes);
  } catch {
    // Said above.
  }
}

/** To be called before the object is removed. Throws where the copy cannot be: then the object would be put back. */
export function letGoOfObject(stateFolder: string, name: string): void {
  const file = join(stateFolder, FOLDER, name);
  if (!KEPT.test(name) || lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
  rmSync(file, { force: true });
  // A power failure that brought the copy back would make the object one that was taken away.
  syncFolder(dirname(file));
}

/** Another machine may have removed some of a server's objects: nothing is known of them any more. */
export function letGoOfServer(stateFolder: string, server: string): void {
  rmSync(join(stateFolder, FOLDER, 'servers', server), { recursive: true, force: true });
}

/** Undefined when there is none, or it cannot be read. */
export function keptObject(stateFolder: string, name: string): Buffer | undefined {
  try {
    return KEPT.test(name) ? readFileSync(join(stateFolder, FOLDER, name)) : undefined;
  } catch {
    return undefined;
  }
}

/** The names of all objects of a server that are kept, sorted. */
export function keptNames(stateFolder: string, server: string): string[] {
  const folder = `servers/${server}`;
  try {
    const below = readdirSync(join(stateFolder, FOLDER, folder), { recursive: true, encoding: 'utf8' });
    return below
      .map((path) => `${folder}/${path}`)
      .filter((name) => KEPT.test(name))
      .sort();
  } catch {
    return [];
  }
}

/** An object that this machine keeps a copy of is not there any more. */
export function objectMissing(name: string): Failure {
  const message = `${name} is gone, and this server did not remove it; the copy in the state directory counts`;
  return new Failure('history_missing', message, { affected: [name] });
}
