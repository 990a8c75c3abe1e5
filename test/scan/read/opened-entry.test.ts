import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { StatBuffer } from '../../../core/linux/stat.ts';
import { OpenAs } from '../../../core/scan/pack/batch.ts';
import { openEntry } from '../../../core/scan/read/opened-entry.ts';
import { ROOT } from '../../program.ts';

describe('an entry that a backup opens', () => {
  let work: string;
  let directory: number;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'opened-entry-'));
    directory = openSync(work, 'r');
  });

  afterEach(() => {
    closeSync(directory);
    rmSync(work, { recursive: true, force: true });
  });

  it('as a file, and that is a FIFO by now, makes nobody wait (case 25)', () => {
    execFileSync('mkfifo', [join(work, 'victim')]);
    // In a process of its own: one that waits would wait for ever.
    const script = `
      const { openSync } = await import('node:fs');
      const { openEntry } = await import('${ROOT}/core/scan/read/opened-entry.ts');
      const { StatBuffer } = await import('${ROOT}/core/linux/stat.ts');
      const opened = openEntry(openSync('${work}', 'r'), 'victim', ${OpenAs.file}, new StatBuffer());
      console.log(opened.readable);`;
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
    expect(execFileSync('timeout', ['20', ...node], { encoding: 'utf8' }).trim()).to.equal('false');
  });

  it('as a file, and that is a device by now, is not read (case 25)', () => {
    execFileSync('mknod', [join(work, 'victim'), 'c', '1', '5']);
    const stat = new StatBuffer();
    const opened = openEntry(directory, 'victim', OpenAs.file, stat);
    expect(opened?.readable).to.equal(false);
    expect(stat.kind).to.equal('character-device');
    closeSync(opened!.descriptor);
  });

  it('as a file is open for reading', () => {
    writeFileSync(join(work, 'new'), 'x');
    renameSync(join(work, 'new'), join(work, 'victim'));
    const opened = openEntry(directory, 'victim', OpenAs.file, new StatBuffer());
    expect(opened?.readable).to.equal(true);
    closeSync(opened!.descriptor);
  });
});
