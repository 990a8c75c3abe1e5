import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { RunResult } from '../../core/schemas/run.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';
import { answerOf, TestServer, until } from './test-server.ts';

const MEBIBYTE = 1024 * 1024;
/** The exit code that asks to try again later. */
const BUSY = 4;

describe('interruptions', function () {
  this.timeout(180_000);
  let server: TestServer;

  beforeEach(async () => {
    server = new TestServer();
    mkdirSync(join(server.shadow, 'first'), { recursive: true });
    writeFileSync(join(server.shadow, 'first/file'), 'in the first snapshot');
    await server.init();
  });

  afterEach(() => server.remove());

  /** Enough that a run takes a while. */
  function addMuch(): void {
    for (let folder = 0; folder < 20; folder++) {
      mkdirSync(join(server.shadow, `much-${folder}`));
      for (let file = 0; file < 60; file++) writeFileSync(join(server.shadow, `much-${folder}/${file}`), randomBytes(150_000));
    }
    writeFileSync(join(server.shadow, 'much-0/large'), randomBytes(40 * MEBIBYTE));
  }

  it('by kill -9 during a backup leave the snapshots before it, and the next run works', async () => {
    const { snapshot } = await server.backUp();
    addMuch();
    const before = server.storedBytes();
    const program = server.start(['run', 'site1']);
    await until(() => server.storedBytes() > before + 8 * MEBIBYTE, program);
    program.kill('SIGKILL');
    expect((await program).signal).to.equal('SIGKILL');

    expect((await server.snapshots()).map(({ id }) => id)).to.deep.equal([snapshot]);
    const { result } = await server.verify();
    expect(result.damages.filter(({ snapshots }) => snapshots.length > 0)).to.deep.equal([]);
    const restored = await server.restoreAside();
    expect(readdirSync(join(restored, 'shadow'))).to.deep.equal(['first']);
    await server.expectPerfectRun();
  });

  it('by kill -9 during a restore are repaired by restoring again', async () => {
    addMuch();
    await server.backUp();
    const original = join(server.folder, 'original');
    renameSync(server.shadow, original);
    mkdirSync(server.shadow);
    cpSync(join(original, 'first'), join(server.shadow, 'first'), { recursive: true });

    const program = server.start(['restore', 'site1', '--delete']);
    await until(() => readdirSync(server.shadow, { recursive: true }).length > 100, program);
    program.kill('SIGKILL');
    expect((await program).signal).to.equal('SIGKILL');
    expect(await compareTrees(original, server.shadow)).to.not.deep.equal([]);

    const { exitCode, result } = await server.restore('--delete');
    expect(exitCode, JSON.stringify(result)).to.equal(0);
    expect(await compareTrees(original, server.shadow)).to.deep.equal([]);
  });

  it('by a second run at the same time do not happen: it waits, or is told that another one is busy', async () => {
    addMuch();
    const first = server.start(['run', 'site1']);
    await until(() => server.objects('.tar.zst').length > 0 || server.storedBytes() > MEBIBYTE, first);
    const patient = server.start(['run', 'site1', '--wait', '5']);
    const second = answerOf<RunResult>(await server.start(['run', 'site1', '--wait', '0']));
    expect(second.exitCode).to.equal(BUSY);
    expect(second.error ?? second.result.units[0]!.error).to.include({ code: 'locked' });
    const { exitCode, result } = answerOf<RunResult>(await first);
    expect(exitCode).to.equal(0);
    expect(result.status).to.equal('ok');
    const third = answerOf<RunResult>(await patient);
    expect(third.result.units[0], JSON.stringify(third)).to.include({ status: 'unchanged', snapshot: result.units[0]!.snapshot });
    expect(await server.snapshots()).to.have.length(1);
    await server.expectPerfectRun();
  });

  it('by kill -9 in a moment of its choice never leave a snapshot that is not whole', async () => {
    await server.backUp();
    addMuch();
    for (let attempt = 0; attempt < 4; attempt++) {
      const before = server.storedBytes();
      const program = server.start(['run', 'site1']);
      await until(() => server.storedBytes() > before + attempt * 12 * MEBIBYTE, program);
      program.kill('SIGKILL');
      await program;
      expect(await server.snapshots()).to.have.length(1);
    }
    rmSync(join(server.shadow, 'much-3'), { recursive: true });
    await server.expectPerfectRun();
    expect(existsSync(join(server.shadow, 'first/file'))).to.equal(true);
  });
});
