import type { Target } from './target.ts';
import { documentTargets } from './targets/documents.ts';
import { dumpTargets } from './targets/dumps.ts';
import { encryptionTargets } from './targets/encryption.ts';
import { manifestTargets } from './targets/manifests.ts';
import { packTargets } from './targets/packs.ts';
import { rpcTargets } from './targets/rpc.ts';
import { stateTargets } from './targets/state-files.ts';

export const TARGETS: readonly Target[] = [
  ...documentTargets,
  ...manifestTargets,
  ...packTargets,
  ...encryptionTargets,
  ...stateTargets,
  ...rpcTargets,
  ...dumpTargets,
];
