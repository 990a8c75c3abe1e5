import type { Target } from './target.ts';
import { documentTargets } from './targets/documents.ts';
import { dumpTargets } from './targets/dumps.ts';
import { encryptionTargets } from './targets/encryption.ts';
import { historyTargets } from './targets/history-files.ts';
import { jobTargets } from './targets/jobs.ts';
import { manifestTargets } from './targets/manifests.ts';
import { packTargets } from './targets/packs.ts';
import { placeTargets } from './targets/places.ts';
import { recoveryTargets } from './targets/recovery.ts';
import { rpcTargets } from './targets/rpc.ts';
import { signatureTargets } from './targets/signatures.ts';
import { stateTargets } from './targets/state-files.ts';

export const TARGETS: readonly Target[] = [
  ...documentTargets,
  ...manifestTargets,
  ...packTargets,
  ...encryptionTargets,
  ...stateTargets,
  ...historyTargets,
  ...signatureTargets,
  ...recoveryTargets,
  ...jobTargets,
  ...rpcTargets,
  ...dumpTargets,
  ...placeTargets,
];
