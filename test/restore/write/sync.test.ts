import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openView } from '../../../core/restore/plan/manifest-files.ts';
import type { Plan } from '../../../core/restore/plan/plan.ts';
import { WordTable } from '../../../core/restore/plan/word-table.ts';
import type { Problem } from '../../../core/restore/rules.ts';
import { Target } from '../../../core/restore/target/target.ts';
import { syncRestored } from '../../../core/restore/write/sync.ts';
import { openRoot } from '../run-restore.ts';
import { SampleSnapshot, sampleEntry } from '../sample-snapshot.ts';

/** Takes a write lease on the file: whoever opens it without waiting is refused with EAGAIN. */
const LEASE = `
import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
descriptor = os.open(sys.argv[1], os.O_RDONLY)
fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('ready', flush=True)
time.sleep(60)
`;

describe('waiting for the disk when a restore is done', () => {
  it('keeps the result when a tenant holds a lease on what was restored', async () => {
    const work = mkdtempSync(join(tmpdir(), 'restore-sync-'));
    writeFileSync(join(work, 'file'), '');
    const holder = spawn('/usr/bin/python3', ['-c', LEASE, join(work, 'file')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const sample = new SampleSnapshot();
    const root = openRoot(work);
    const target = new Target([root]);
    const problems: Problem[] = [];
    try {
      await once(holder.stdout, 'data');
      sample.add(sampleEntry('file', {}));
      sample.commit();
      const singles = new WordTable(3);
      singles.push(0, 0, 0);
      const none = new WordTable(8);
      const plan = {
        plainParents: new Set(),
        directories: none,
        singles,
        packs: [],
        large: none,
        links: none,
        entries: 1,
      } as unknown as Plan;
      const written = { plan, deletion: false, roots: [root], target, view: openView(sample.manifests) };
      syncRestored(written, (problem) => problems.push(problem));
    } finally {
      holder.kill('SIGKILL');
      target.close();
      closeSync(root.descriptor);
      sample.close();
      rmSync(work, { recursive: true, force: true });
    }
    expect(problems).to.deep.equal([]);
  });
});
