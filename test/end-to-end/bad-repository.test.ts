import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeSmallWebApplication } from '../accounts/site-software.ts';
import { TestServer } from './test-server.ts';

describe('a run that is asked for what cannot be', function () {
  this.timeout(120_000);
  let server: TestServer;

  beforeEach(() => {
    server = new TestServer();
    makeSmallWebApplication(server.shadow);
  });

  afterEach(() => server.remove());

  it('names a site that does not exist, and backs up nothing', async () => {
    await server.init();
    await server.backUp();
    const { exitCode, error } = await server.run(['site1', 'site7']);
    expect(error).to.include({ code: 'unit_unknown' });
    expect(error!.affected).to.include('site7');
    expect(exitCode).to.be.oneOf([1, 2]);
    expect(await server.snapshots()).to.have.length(1);
    await server.expectPerfectRun();
  });

  it('says that there is no repository, and makes none', async () => {
    const { exitCode, error } = await server.run();
    expect(error).to.include({ code: 'repository_missing' });
    expect(error!.advice).to.be.a('string');
    expect(exitCode).to.equal(1);
    expect(existsSync(server.repository)).to.equal(false);
    await server.init();
    await server.expectPerfectRun();
  });

  it('takes an empty folder for no repository', async () => {
    mkdirSync(server.repository);
    const { exitCode, error } = await server.run();
    expect(error).to.include({ code: 'repository_missing' });
    expect(exitCode).to.equal(1);
    expect(readdirSync(server.repository)).to.deep.equal([]);
    await server.init();
    await server.expectPerfectRun();
  });

  it('does not write among the files of others', async () => {
    mkdirSync(server.repository);
    writeFileSync(join(server.repository, 'thesis.txt'), 'not a backup');
    for (const { exitCode, error } of [await server.run(), await server.init()]) {
      expect(error).to.include({ code: 'repository_foreign' });
      expect(exitCode).to.equal(1);
    }
    expect(readdirSync(server.repository)).to.deep.equal(['thesis.txt']);
  });

  it('does not touch a repository of a newer format', async () => {
    await server.init();
    await server.backUp();
    // Where one object of this version can be read, it is a damaged repository of this version.
    const older = new Map(
      server.objects('.json').map((name) => [join(server.repository, name), readFileSync(join(server.repository, name))]),
    );
    for (const [name, bytes] of older) {
      const document = JSON.parse(bytes.toString());
      writeFileSync(name, JSON.stringify({ ...document, formatVersion: document.formatVersion + 1 }));
    }
    const stored = server.objects('').length;
    for (const { exitCode, error } of [await server.run(), await server.restore('--to', join(server.folder, 'nowhere'))]) {
      expect(error).to.include({ code: 'repository_newer' });
      expect(exitCode).to.equal(1);
    }
    expect(server.objects('')).to.have.length(stored);
    for (const [name, bytes] of older) writeFileSync(name, bytes);
    expect(await server.snapshots()).to.have.length(1);
    await server.expectPerfectRun();
  });
});
