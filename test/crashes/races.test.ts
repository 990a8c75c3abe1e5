import { randomBytes } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { MethodName } from '../../core/schemas/messages.ts';
import type { PruneResult } from '../../core/schemas/prune.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import type { Server } from '../faults/server.ts';
import { changingCalls, type Frozen, frozenAt } from './kill.ts';
import { SmallWorld, UNIT } from './small-world.ts';
import { writeOnly } from './stories.ts';
import { differences, treeOf } from './tree.ts';

/** Asks for everything at once: what is in use is told, and nobody waits. */
const LIMITS = { workers: 1, nice: 0, wait: 0 };

describe('two processes that work on one unit', function () {
  this.timeout(120_000);
  let world: SmallWorld;
  let server: Server;

  before(async () => {
    world = new SmallWorld();
    world.settings = { limits: LIMITS, retention: { keepLast: 0, guardShare: 1 } };
    await world.prepare('init', {});
    await world.prepare('run', { units: [UNIT], level: 'full' });
    world.change(1);
    await world.prepare('run', { units: [UNIT], level: 'full' });
    world.change(2);
  });
  after(() => world.remove());
  beforeEach(() => {
    server = world.copy();
  });
  afterEach(() => server.remove());

  const run = { method: 'run', request: { units: [UNIT], level: 'incremental' } } as const;
  const prune = { method: 'prune', request: { yes: true } } as const;
  const restore = () => ({ method: 'restore', request: { unit: UNIT, at: oldest(), to: join(server.folder, 'restored') } }) as const;

  function oldest(): string {
    return [...world.states.keys()].sort()[0] as string;
  }

  /** A process that stands still before a share of what it changes. */
  async function frozen(command: { method: MethodName; request: Readonly<Record<string, unknown>> }, share: number): Promise<Frozen> {
    const whole = world.copy();
    const request = JSON.parse(JSON.stringify(command.request).replaceAll(server.folder, whole.folder));
    const calls = await changingCalls(whole, { method: command.method, request });
    whole.remove();
    return frozenAt(server, command, Math.round(calls.length * share));
  }

  async function expectSound(): Promise<void> {
    expect(await server.command('verify', {})).to.deep.include({ exitCode: 0 });
    for (const { id } of server.records()) {
      const to = join(server.folder, 'aside');
      expect((await server.command('restore', { unit: UNIT, at: id, to })).exitCode, id).to.equal(0);
      expect(differences(world.states.get(id) ?? world.now(), treeOf(to)), id).to.deep.equal([]);
      rmSync(to, { recursive: true });
    }
  }

  it('are told of each other while one backs up; a restore goes on beside it; a killed one leaves the way free at once', async () => {
    const first = await frozen(run, 0.6);
    for (const { method, request } of [run, prune]) {
      const { exitCode, error, result } = await server.command<RunResult>(method, request);
      expect(error ?? result?.units[0]?.error, method).to.include({ code: 'locked' });
      expect(exitCode, method).to.equal(4);
    }
    expect((await server.command(restore().method, restore().request)).exitCode).to.equal(0);
    await first.kill();
    const { exitCode, result } = await server.command<RunResult>(run.method, run.request);
    expect({ exitCode, status: result?.status }).to.deep.equal({ exitCode: 0, status: 'ok' });
    await expectSound();
  });

  it('never delete what the other restores: a prune skips the unit, and the restore is exact', async () => {
    const restoring = await frozen(restore(), 0.4);
    const { result } = await server.command<PruneResult>(prune.method, prune.request);
    expect(result?.units[0]).to.include({ status: 'skipped', deleted: 0 });
    expect(await restoring.goOn()).to.deep.include({ exitCode: 0 });
    expect(differences(world.states.get(oldest()) as never, treeOf(join(server.folder, 'restored')))).to.deep.equal([]);
    expect((await server.command<PruneResult>(prune.method, prune.request)).result?.units[0]).to.include({ deleted: 1 });
    await expectSound();
  });

  it('neither back up nor restore while one deletes, and afterwards find no trace of what has gone', async () => {
    const deleting = await frozen(prune, 0.6);
    for (const { method, request } of [run, restore()]) {
      const { error, result } = await server.command<RunResult>(method, request);
      expect(error ?? result?.units[0]?.error, method).to.include({ code: 'locked' });
    }
    expect(await deleting.goOn()).to.deep.include({ exitCode: 0 });
    expect((await server.command(restore().method, restore().request)).error).to.include({ code: 'snapshot_unknown' });
    expect((await server.command(run.method, run.request)).exitCode).to.equal(0);
    await expectSound();
  });

  it('as clones that are alike in everything, at the same time: both backups are whole, and neither writes another one unnoticed', async () => {
    const clone = world.copy();
    clone.set({ ...world.settings, repository: server.repository });
    cpSync(join(server.folder, 'state'), join(clone.folder, 'state'), { recursive: true });
    try {
      const original = await frozen(run, 0.6);
      const { result } = await clone.command<RunResult>(run.method, run.request);
      expect(result).to.include({ status: 'ok' });
      expect(await original.goOn()).to.deep.include({ exitCode: 0 });
      await expectSound();
      for (const machine of [server, clone]) {
        const { exitCode, error } = await machine.command<RunResult>(run.method, run.request);
        expect(exitCode).to.not.equal(0);
        expect(error).to.include({ code: 'server_contested' });
        expect(error?.advice).to.contain('adopt').and.to.contain('init --new-server');
      }
      expect((await clone.command('init', { newServer: true })).exitCode).to.equal(0);
      expect((await clone.command('run', { units: [UNIT] })).exitCode).to.equal(0);
      const [id] = server.records().map(({ server: each }) => each);
      expect((await server.command('adopt', { server: id, yes: true })).exitCode).to.equal(0);
      expect((await server.command(run.method, run.request)).exitCode).to.equal(0);
    } finally {
      clone.remove();
    }
  });
});

describe('a file that changes while packs that a server cannot read are compacted from files', function () {
  this.timeout(240_000);
  const POINTS = 5;

  it('is in the snapshot as the scan saw it, whenever that is', async () => {
    const world = new SmallWorld();
    try {
      const { recipients, reading } = await writeOnly(world);
      for (let point = 1; point <= POINTS; point++) world.write(`shadow/mail/of point ${point}`, randomBytes(5000));
      await world.prepare('init', { recipients });
      await world.prepare('run', { units: [UNIT], level: 'full' });
      const [first] = world.template.records().flatMap(({ packs }) => packs.map(({ path }) => path));
      world.change(1);
      await world.prepare('run', { units: [UNIT], level: 'incremental' });
      const command = { method: 'run', request: { units: [UNIT], level: 'synthetic' } } as const;
      const probe = world.copy();
      const calls = await changingCalls(probe, command);
      const needsFirst = (server: Server) =>
        server
          .records()
          .at(-1)
          ?.packs.some(({ path }) => path === first) === true;
      expect(needsFirst(probe), 'undisturbed').to.equal(false);
      probe.remove();
      const kept: boolean[] = [];
      for (let point = 1; point <= POINTS; point++) {
        const server = world.copy();
        const before = world.now();
        const run = await frozenAt(server, command, Math.round((calls.length * point) / (POINTS + 4)));
        world.write(`shadow/mail/of point ${point}`, randomBytes(5000));
        const after = world.now();
        expect(await run.goOn(), `point ${point}`).to.deep.include({ exitCode: 0 });
        expect(await server.command('verify', reading), `point ${point}`).to.deep.include({ exitCode: 0 });
        const to = join(server.folder, 'aside');
        expect((await server.command('restore', { unit: UNIT, to, ...reading })).exitCode).to.equal(0);
        const restored = treeOf(to);
        if (differences(after, restored).length > 0) {
          expect(differences(before, restored), `point ${point}`).to.deep.equal([]);
          kept.push(needsFirst(server));
        }
        server.remove();
      }
      expect(kept, 'whether the old pack was kept, where the change came behind the scan').to.include(true);
    } finally {
      world.remove();
    }
  });
});
