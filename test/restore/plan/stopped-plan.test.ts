import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PackCache } from '../../../core/restore/content/pack-cache.ts';
import { openView } from '../../../core/restore/plan/manifest-files.ts';
import { planRestore } from '../../../core/restore/plan/planner.ts';
import { Target } from '../../../core/restore/target/target.ts';
import { failureOf } from '../../failure-of.ts';
import { NOTHING_EXCLUDED } from '../nothing-excluded.ts';
import { openRoot } from '../run-restore.ts';
import { SampleSnapshot, sampleEntry } from '../sample-snapshot.ts';

describe('planning a restore of many entries', () => {
  it('lets other events in, and stops when it is asked to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plan-'));
    const sample = new SampleSnapshot();
    const stop = new AbortController();
    let planned = 0;
    function* endless() {
      for (;;)
        yield {
          layer: 0,
          block: 0,
          row: 0,
          entry: sampleEntry(`link-${++planned}`, { kind: 'symlink', linkTarget: 'x' }),
          isParent: false,
        };
    }
    try {
      setImmediate(() => stop.abort());
      const planning = planRestore(endless(), {
        target: new Target([openRoot(folder)]),
        packs: new PackCache(sample.packs),
        rules: { overwrite: 'always', removeDirectories: false, exclude: NOTHING_EXCLUDED, owner: undefined },
        view: openView(sample.manifests),
        foresight: undefined,
        signal: stop.signal,
      });
      expect(await failureOf(() => planning)).to.include({ code: 'cancelled' });
      expect(planned).to.be.below(20_000);
    } finally {
      sample.close();
      rmSync(folder, { recursive: true });
    }
  });
});
