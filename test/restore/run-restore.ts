import { closeSync, constants, openSync } from 'node:fs';
import type { Outcome } from '../../core/restore/outcome.ts';
import { type RestoreOrder, restoreTree } from '../../core/restore/restore.ts';
import type { TargetRoot } from '../../core/restore/target/target.ts';
import type { SampleSnapshot } from './sample-snapshot.ts';

export function openRoot(path: string, over: Partial<TargetRoot> = {}): TargetRoot {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  return { at: '', descriptor, crossMounts: false, overlay: false, ...over };
}

/** Restores a sample into a directory (or given roots), with everything else as it is by default. */
export async function restoreSample(sample: SampleSnapshot, target: string, over: Partial<RestoreOrder> = {}): Promise<Outcome> {
  const roots = over.roots ?? [openRoot(target)];
  try {
    return await restoreTree({
      ...{ manifests: sample.manifests, packs: sample.packs, layers: undefined, paths: [], exclude: { paths: [], patterns: [] } },
      ...{ overwrite: 'always', deletion: false, dryRun: false, workers: 2, threads: true },
      signal: new AbortController().signal,
      progress: () => {},
      ...over,
      roots,
    });
  } finally {
    for (const { descriptor } of roots) closeSync(descriptor);
  }
}
