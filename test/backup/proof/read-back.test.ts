import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { run } from '../../../core/commands/run.ts';
import { verify } from '../../../core/commands/verify.ts';
import type { Context } from '../../../core/context/context.ts';
import { LocalBackend } from '../../../core/repository/backends/local.ts';
import { LARGE_FILE } from '../../../core/scan/limits.ts';
import type { UnitOutcome } from '../../../core/schemas/run.ts';
import { type Level, Sandbox } from '../../commands/sandbox.ts';
import { failureOf } from '../../failure-of.ts';

describe('reading back what was stored', function () {
  this.timeout(60_000);
  let sandbox: Sandbox;
  const { create } = LocalBackend.prototype;

  beforeEach(async () => {
    sandbox = new Sandbox();
    // One pack, whose frames come in the same order each time.
    sandbox.set('limits', { workers: 1 });
    await sandbox.init();
    mkdirSync(join(sandbox.shadow, 'folder'));
    fill();
  });

  afterEach(async () => {
    LocalBackend.prototype.create = create;
    await sandbox.remove();
  });

  function fill(): void {
    for (let file = 0; file < 20; file++) writeFileSync(join(sandbox.shadow, `folder/file-${file}`), randomBytes(20_000));
    writeFileSync(join(sandbox.shadow, 'folder/large'), randomBytes(LARGE_FILE + 1000));
    writeFileSync(join(sandbox.shadow, 'folder/empty'), '');
  }

  async function back(readBack: boolean | undefined, level: Level = 'full', context: Context = sandbox.context): Promise<UnitOutcome> {
    const { units } = await run({ units: ['site1'], level, ...(readBack === undefined ? {} : { readBack }) }, context);
    return units[0] as UnitOutcome;
  }

  /** Flips one bit of objects of a kind on their way to the disk, `at` bytes (from the end, when negative) into chunk `call`. */
  function flip(kind: string, call: number, at: number): void {
    LocalBackend.prototype.create = async function (name) {
      const writer = await create.call(this, name);
      if (!name.includes(`/${kind}/`)) return writer;
      let calls = 0;
      return {
        write: async (chunk) => {
          const changed = Buffer.from(chunk);
          const place = at < 0 ? changed.length + at : at;
          if (calls++ === call) changed[place] = (changed[place] as number) ^ 1;
          await writer.write(changed);
        },
        commit: () => writer.commit(),
        abort: () => writer.abort(),
      };
    };
  }

  it('lets a snapshot be that is right, of every level', async () => {
    for (const level of ['full', 'incremental', 'differential', 'synthetic'] as const) {
      expect(await back(true, level), level).to.include({ status: 'ok', error: null });
      fill();
    }
    expect((await verify({}, sandbox.context)).damages).to.deep.equal([]);
  });

  for (const [what, kind, call, at] of [
    ['in content', 'packs', 0, 5000],
    ['in the last frame of contents', 'packs', 2, 3000],
    ['in the checksum of a frame', 'packs', 1, -1],
    ['in a manifest', 'manifests', 0, 200],
  ] as const) {
    it(`finds a bit that a disk flipped ${what}, which nothing else finds before a restore`, async () => {
      flip(kind, call, at);
      const found = await back(true);
      expect(found).to.include({ status: 'failed', snapshot: null });
      expect(found.error).to.include({ code: 'repository_damaged', retry: true });
      expect(found.error?.affected[0]).to.contain(`/${kind}/`);
      expect(sandbox.objects('snapshots')).to.deep.equal([]);
      expect((await back(false)).status).to.equal('ok');
      LocalBackend.prototype.create = create;
      expect((await verify({}, sandbox.context)).damages).to.have.length.at.least(1);
      expect((await back(true)).status).to.equal('ok');
      expect(await sandbox.differences()).to.deep.equal([]);
    });
  }

  it('is what the setting says where the request says nothing', async () => {
    flip('packs', 0, 5000);
    sandbox.set('readBack', true);
    expect((await back(undefined)).error?.code).to.equal('repository_damaged');
    sandbox.set('readBack', false);
    expect((await back(undefined)).status).to.equal('ok');
  });

  it('ends when the run is stopped', async () => {
    const controller = new AbortController();
    const { forgetCached } = LocalBackend.prototype;
    LocalBackend.prototype.forgetCached = function (name) {
      controller.abort();
      forgetCached.call(this, name);
    };
    try {
      const context = { ...sandbox.context, signal: controller.signal };
      expect((await failureOf(() => back(true, 'full', context))).code).to.equal('cancelled');
      expect(sandbox.objects('snapshots')).to.deep.equal([]);
    } finally {
      LocalBackend.prototype.forgetCached = forgetCached;
    }
  });
});
