import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';

describe('threads that still load their native parts', () => {
  it('take nothing with them when the process ends: it says why, and is not aborted', async () => {
    // Without care a third of these is aborted.
    for (let time = 0; time < 10; time++) {
      const { exitCode, signal, stderr } = await execa(process.execPath, [join(import.meta.dirname, 'end-threads.ts')], { reject: false });
      expect({ exitCode, signal }, stderr).to.deep.equal({ exitCode: 1, signal: undefined });
    }
  }).timeout(60_000);
});
