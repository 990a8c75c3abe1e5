import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { verify } from '../../../core/commands/verify.ts';
import type { UnitOutcome } from '../../../core/schemas/run.ts';
import { Sandbox } from '../../commands/sandbox.ts';

const MEBIBYTE = 1024 * 1024;
const FILES = 40;
const FILE_BYTES = MEBIBYTE / 2;
/** What an incremental may cost that stores no content: rows, headers of members, a pack's end. */
const METADATA_BYTES = 32 * 1024;
const ROWS = 400_000;
/** Of the export in full. The larger it is, the less it is: what one stretch costs does not grow. */
const MOST_SHARE = 0.05;

/** The same each time, so that the chunks are, too. */
function row(number: number): string {
  return `INSERT INTO posts VALUES (${number}, '${createHash('sha256').update(String(number)).digest('base64')}');\n`;
}

describe('content that the repository holds already', function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let folder: string;

  beforeEach(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
    folder = join(sandbox.shadow, 'uploads');
    mkdirSync(folder);
    for (let file = 0; file < FILES; file++) writeFileSync(join(folder, `photo-${file}`), randomBytes(FILE_BYTES));
  });

  afterEach(() => sandbox.remove());

  /** Backs up in full, lets `change` happen, and returns what the incremental came to. */
  async function incrementalAfter(change: () => void): Promise<{ full: UnitOutcome; incremental: UnitOutcome }> {
    const full = await sandbox.back('full');
    expect(full.bytesStored).to.be.above(FILES * FILE_BYTES);
    change();
    const incremental = await sandbox.back('incremental');
    expect(await verify({ unit: 'site1' }, sandbox.context)).to.include({ status: 'ok' });
    return { full, incremental };
  }

  it('is not stored again for a folder that was moved', async () => {
    const { incremental } = await incrementalAfter(() => renameSync(folder, join(sandbox.shadow, 'moved')));
    expect(incremental.bytesStored).to.be.below(METADATA_BYTES);
    expect(incremental.changed).to.be.at.least(FILES);
  });

  it('is not stored again for files that were touched, or copied', async () => {
    const { incremental } = await incrementalAfter(() => {
      cpSync(folder, join(sandbox.shadow, 'copy'), { recursive: true });
      for (let file = 0; file < FILES; file++) utimesSync(join(folder, `photo-${file}`), 1, 2);
    });
    expect(incremental.bytesStored).to.be.below(METADATA_BYTES);
    expect(incremental.changed).to.be.at.least(2 * FILES);
  });

  it('costs of a log that grew no more than about its new end', async () => {
    const log = join(sandbox.shadow, 'access_log');
    writeFileSync(log, randomBytes(24 * MEBIBYTE));
    const { incremental } = await incrementalAfter(() => appendFileSync(log, randomBytes(MEBIBYTE)));
    // The last chunk is cut anew: at most 4 MiB.
    expect(incremental.bytesStored).to.be.below(5 * MEBIBYTE + METADATA_BYTES);
  });

  it('costs of an export in which one stretch changed and all behind it moved the chunks of that stretch', async () => {
    const file = join(sandbox.shadow, 'export.sql');
    const rows = Array.from({ length: ROWS }, (_, number) => row(number));
    writeFileSync(file, rows.join(''));
    const { full, incremental } = await incrementalAfter(() => {
      rows.splice(ROWS / 2, ROWS / 100, ...Array.from({ length: ROWS / 100 + 7 }, (_, number) => row(ROWS + number)));
      writeFileSync(file, rows.join(''));
    });
    const exported = full.bytesStored - FILES * FILE_BYTES;
    expect(incremental.bytesStored / exported).to.be.below(MOST_SHARE);
  });
});
