import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeSmallWebApplication } from '../accounts/site-software.ts';
import { TestServer } from './test-server.ts';

describe('what is mounted inside an account', function () {
  this.timeout(120_000);
  let server: TestServer;

  beforeEach(async () => {
    server = new TestServer();
    makeSmallWebApplication(server.shadow);
    await server.init();
  });

  afterEach(() => server.remove());

  it('is left out and named, be it another file system or a bind mount of the same one (case 29)', async () => {
    const outside = join(server.folder, 'outside');
    for (const made of [outside, join(server.shadow, 'bound'), join(server.shadow, 'other')]) mkdirSync(made);
    execFileSync('mount', ['--bind', outside, join(server.shadow, 'bound')]);
    execFileSync('mount', ['-t', 'tmpfs', 'none', join(server.shadow, 'other')]);
    for (const folder of ['bound', 'other']) writeFileSync(join(server.shadow, folder, 'secret'), 'of somebody else');

    const { exitCode, result } = await server.run();
    expect(exitCode).to.equal(3);
    expect(result.units[0]!.warnings.map(({ path, code }) => `${path}: ${code}`)).to.have.members([
      'shadow/bound: mount_skipped',
      'shadow/other: mount_skipped',
    ]);
    const restored = await server.restoreAside();
    expect(existsSync(join(restored, 'shadow/wp-admin'))).to.equal(true);
    for (const folder of ['bound', 'other']) expect(readdirSync(join(restored, 'shadow', folder))).to.deep.equal([]);
  });
});
