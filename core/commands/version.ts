import type { Context } from '../context/context.ts';
import { fingerprintOf } from '../crypto/ed25519.ts';
import { type KeyRecord, keysOf } from '../repository/keys/key-record.ts';
import { pinnedKeys } from '../repository/keys/key-state.ts';
import { FORMAT_VERSION } from '../repository/record.ts';
import { ownKeys } from '../repository/signatures/signing-keys.ts';
import type { Keys } from '../schemas/keys.ts';
import { MESSAGES } from '../schemas/messages.ts';
import type { VersionRequest, VersionResult } from '../schemas/version.ts';
import { PROGRAM } from '../version.ts';

/** Says which program this is and what it understands. Needs no settings, so it works when they are broken. */
export async function version(_request: VersionRequest, context: Context): Promise<VersionResult> {
  const methods = Object.keys(MESSAGES);
  return {
    ...PROGRAM,
    formatVersion: FORMAT_VERSION,
    node: process.version,
    keys: keysHere(context),
    fingerprint: fingerprintHere(context),
    methods,
  };
}

/** As the state directory remembers it, without looking at the repository; null where it knows nothing, or several. */
function keysHere(context: Context): Keys | null {
  let pinned: (KeyRecord | null)[];
  try {
    pinned = pinnedKeys(context.settings.stateDirectory);
  } catch {
    return null;
  }
  const [only, ...others] = pinned;
  return only === undefined || others.length > 0 ? null : keysOf(only ?? undefined);
}

/** As the state directory has the key; null as for `keysHere`. */
function fingerprintHere(context: Context): string | null {
  try {
    const [only, ...others] = ownKeys(context.settings.stateDirectory);
    return only === undefined || others.length > 0 ? null : fingerprintOf(only.publicKey);
  } catch {
    return null;
  }
}
