import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { removeTree } from '../accounts/clean-up.ts';
import { mountLoopFileSystem } from '../accounts/loop-file-system.ts';
import { TestServer } from './test-server.ts';

const MEBIBYTE = 1024 * 1024;

describe('a repository on a disk that fills up', function () {
  this.timeout(120_000);
  let folder: string;
  let disk: string;
  let server: TestServer;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'full-disk-'));
    disk = join(folder, 'disk');
    await mountLoopFileSystem(disk, 48);
    server = new TestServer(join(disk, 'repository'));
    mkdirSync(server.shadow);
    writeFileSync(join(server.shadow, 'small'), 'in the first snapshot');
    await server.init();
  });

  afterEach(async () => {
    await server.remove();
    await removeTree(folder);
  });

  it('fails with that reason, keeps what was there, and works when there is room again', async () => {
    const { snapshot } = await server.backUp();
    writeFileSync(join(disk, 'somebody else'), randomBytes(20 * MEBIBYTE));
    for (let file = 0; file < 24; file++) writeFileSync(join(server.shadow, `large-${file}`), randomBytes(1.4 * MEBIBYTE));
    const { exitCode, result } = await server.run();
    expect(exitCode).to.equal(1);
    expect(result.units[0]).to.include({ status: 'failed', snapshot: null });
    expect(result.units[0]!.error).to.include({ code: 'disk_full' });
    expect((await server.snapshots()).map(({ id }) => id)).to.deep.equal([snapshot]);
    const restored = await server.restoreAside();
    expect(existsSync(join(restored, 'shadow/small'))).to.equal(true);

    rmSync(join(disk, 'somebody else'));
    await server.expectPerfectRun();
  });
});
