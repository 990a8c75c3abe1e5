import { appendFileSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { databases } from '../../core/commands/databases.ts';
import { diff } from '../../core/commands/diff.ts';
import { find } from '../../core/commands/find.ts';
import { history } from '../../core/commands/history.ts';
import { ls } from '../../core/commands/ls.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { simulateRetention } from '../../core/commands/simulate.ts';
import { status } from '../../core/commands/status.ts';
import { Failure } from '../../core/failure.ts';
import { LocalBackend } from '../../core/repository/backends/local.ts';
import type { AllDatabasesResult } from '../../core/schemas/databases.ts';
import { exitCodeOfResult } from '../../core/schemas/exit-codes.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

describe('an answer that lacks a part of the repository', function () {
  this.timeout(60_000);
  const unit = 'site1';
  let sandbox: Sandbox;
  let ids: readonly string[];
  /** What the place refuses to give, by the end of a name or a part of it. */
  let refused: string | RegExp | undefined;
  const { readWhole } = LocalBackend.prototype;

  before(async () => {
    LocalBackend.prototype.readWhole = async function (name, limit) {
      const isRefused = typeof refused === 'string' ? name.endsWith(refused) : refused?.test(name) === true;
      if (isRefused) throw new Failure('io_error', `${name}: EIO`, { affected: [name], retry: true });
      return readWhole.call(this, name, limit);
    };
    sandbox = new Sandbox();
    await sandbox.init();
    for (const level of ['full', 'incremental', 'incremental'] as const) {
      appendFileSync(join(sandbox.shadow, 'file'), 'content');
      await sandbox.back(level);
    }
    ids = globSync(join(sandbox.repository, 'servers/*/units/site1-*/snapshots/*.json'))
      .map((file) => file.replace(/.*\/|\.json$/g, ''))
      .sort();
  });
  after(async () => {
    LocalBackend.prototype.readWhole = readWhole;
    await sandbox.remove();
  });
  afterEach(() => {
    refused = undefined;
  });

  const record = (id: string): string => globSync(join(sandbox.repository, `servers/*/units/site1-*/snapshots/${id}.json`))[0] as string;
  const restored = (at: string) => restore({ unit, at, to: join(sandbox.folder, `to-${Math.random()}`) }, sandbox.context);
  const ask = (at: string) =>
    Promise.all([
      ls({ unit, at }, sandbox.context),
      databases({ unit, at }, sandbox.context),
      diff({ unit, from: at, to: at }, sandbox.context),
    ]);

  async function expectPartial(
    answers: readonly { readonly status: string; readonly warnings: readonly { message: string }[] }[],
    name: string,
  ) {
    for (const answer of answers) {
      expect(exitCodeOfResult(answer)).to.equal(3);
      expect(answer.warnings.map(({ message }) => message).join()).to.contain(name);
    }
  }

  it('is whole where nothing is wrong', async () => {
    for (const answer of await ask('latest')) expect(answer).to.include({ status: 'ok', warningCount: 0 });
    expect(await find({ unit, pattern: 'file' }, sandbox.context)).to.include({ status: 'ok', snapshots: 3 });
  });

  it('is partial and names it, over all snapshots, at a moment and of the sizes; at a snapshot that has all it is whole', async () => {
    refused = `${ids.at(-1)}.json`;
    await expectPartial(
      [
        await find({ unit, pattern: 'file' }, sandbox.context),
        await history({ unit, path: 'shadow/file' }, sandbox.context),
        await simulateRetention({ duration: '3d' }, sandbox.context),
        ...(await ask('latest')),
      ],
      refused,
    );
    for (const answer of await ask(ids[1] as string)) expect(answer).to.include({ status: 'ok' });
  });

  it('says of all units which of them lack something, and shows the others', async () => {
    const answer = async () => (await databases({}, sandbox.context)) as AllDatabasesResult;
    await run({ units: ['system'], wait: 0 }, sandbox.context);
    const named = ({ units }: AllDatabasesResult) => units.map(({ unit, status }) => [unit, status]);
    expect(named(await answer())).to.deep.equal([
      ['site1', 'ok'],
      ['system', 'ok'],
    ]);
    refused = `${ids.at(-1)}.json`;
    const partial = await answer();
    expect([exitCodeOfResult(partial), partial.status, ...named(partial)]).to.deep.equal([
      3,
      'partial',
      ['site1', 'partial'],
      ['system', 'ok'],
    ]);
    expect(partial.units[0]?.warnings[0]?.message).to.contain(refused);
    refused = /site1-.*\/snapshots\//;
    const without = await answer();
    expect(named(without)).to.deep.equal([
      ['site1', 'partial'],
      ['system', 'ok'],
    ]);
    expect(without.units[0]).to.deep.include({ moment: null, databases: [] });
    expect(without.units[0]?.error).to.include({ code: 'io_error' });
  });

  it('is partial when a manifest is missing or damaged, and names the snapshots that need it', async () => {
    const copies = globSync(join(sandbox.stateDirectory, '**/*.mf.zst*'));
    const kept = copies.map((file) => [file, readFileSync(file)] as const);
    const [, manifest] = globSync(join(sandbox.repository, 'servers/*/units/site1-*/manifests/*')).sort() as [string, string];
    const whole = readFileSync(manifest);
    for (const file of copies) rmSync(file);
    try {
      for (const damage of [
        () => rmSync(manifest),
        () =>
          writeFileSync(
            manifest,
            whole.map((byte, at) => (at === 60 ? byte ^ 1 : byte)),
          ),
      ]) {
        damage();
        const told = await history({ unit, path: 'shadow/file' }, sandbox.context);
        expect(told).to.include({ status: 'partial', snapshots: 1, warningCount: 2 });
        expect(told.events.map(({ first }) => first)).to.deep.equal(ids.slice(0, 1));
        for (const id of ids.slice(1)) await expectPartial([told], id);
        await expectPartial([await find({ unit, pattern: 'file' }, sandbox.context)], ids[1] as string);
      }
    } finally {
      writeFileSync(manifest, whole);
      for (const [file, bytes] of kept) writeFileSync(file, bytes);
    }
  });

  it('restores no older snapshot for the newest that the place does not give today; by its id any is to be had', async () => {
    refused = `${ids.at(-1)}.json`;
    expect(await failureOf(() => restored('latest'))).to.include({ code: 'io_error', retry: true });
    expect(await restored(ids[1] as string)).to.include({ status: 'ok', snapshot: ids[1] });
  });

  it('restores the one before for a newest that is damaged for good, and says so', async () => {
    const file = record(ids.at(-1) as string);
    const whole = readFileSync(file);
    writeFileSync(file, '{}');
    try {
      const result = await restored('latest');
      expect(result).to.include({ status: 'partial', snapshot: ids[1] });
      await expectPartial([result], `${ids.at(-1)}.json`);
      expect(await restored(ids[1] as string)).to.include({ status: 'ok' });
    } finally {
      writeFileSync(file, whole);
    }
  });

  it('takes no other account of the name for one whose unit is not given today', async () => {
    refused = '/unit.json';
    expect(await failureOf(() => restored('latest'))).to.include({ code: 'io_error', retry: true });
    expect((await status({}, sandbox.context)).problems.map(({ code }) => code)).to.include('unclear');
  });
});
