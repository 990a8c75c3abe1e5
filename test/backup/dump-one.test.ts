import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { dumpOne, type StreamStore } from '../../core/backup/databases/dump-one.ts';
import type { DatabaseServer, DumpPlan } from '../../core/databases/database-server.ts';
import { WorkerPool } from '../../core/scan/pack/worker-pool.ts';
import { failureOf } from '../failure-of.ts';

/** A server whose dumps are what a shell script writes. */
function serverOf(script: string): DatabaseServer {
  const plan: DumpPlan = { command: { program: '/bin/sh', args: ['-c', script], as: undefined }, consistency: 'snapshot', leftOut: [] };
  return {
    engine: 'mysql',
    version: '',
    dataFolders: async () => [],
    inventory: async () => ({ databases: [], claims: [], users: [] }),
    planDump: async () => plan,
    brokenParts: async () => [],
    users: async () => '',
    close: async () => {},
  };
}

describe('one dump', function () {
  this.timeout(30_000);

  /** Dumps with so many milliseconds to wait for something to come. */
  const dump = async (script: string, { patience = 60_000, timeLimit = 60_000, onReads = (_: SharedArrayBuffer): void => {} } = {}) => {
    const pool = new WorkerPool(1, undefined);
    try {
      const sink = { append: async () => {}, close: async () => {} };
      const packing = pool.begin({ packNames: { before: 'p', after: '.tar.zst' }, known: [], sink });
      const facts = { name: 'a', characterSet: '', collation: '' };
      let asked = 0;
      const watch = { timeLimit, patience, signal: new AbortController().signal, now: () => new Date(++asked) };
      const readStream: StreamStore['readStream'] = (order) => {
        onReads(order.reads);
        return packing.readStream(order);
      };
      const store = { size: packing.size, failed: packing.failed, readStream };
      return await dumpOne(serverOf(script), facts, { path: 'databases/mysql/a.sql', isNew: true }, store, watch);
    } finally {
      await pool.stop();
    }
  };

  it('is ended when nothing comes of it any more, as when an account holds a lock', async () => {
    const failure = await failureOf(() => dump('echo begin; exec sleep 600', { patience: 300 }));
    expect(failure.code).to.equal('database_failed');
    expect(failure.message).to.include('nothing came of it');
  });

  it('goes on as long as something comes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-dump-'));
    // The watch looks when the test says so, however slow the machine is.
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      let reads = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
      const onReads = (count: SharedArrayBuffer): void => {
        reads = count;
      };
      const script = `for i in 1 2 3 4 5; do echo $i; until [ -e ${folder}/$i ]; do sleep 0.02; done; done`;
      let isOver = false;
      const dumped = dump(script, { patience: 700, onReads }).finally(() => {
        isOver = true;
      });
      let seen = 0;
      for (let line = 1; line <= 5; line++) {
        while (!isOver && Atomics.load(new Int32Array(reads), 0) <= seen) await sleep(5);
        seen = Atomics.load(new Int32Array(reads), 0);
        mock.timers.tick(700);
        writeFileSync(join(folder, String(line)), '');
      }
      expect((await dumped)?.size).to.equal(10);
    } finally {
      mock.timers.reset();
      rmSync(folder, { recursive: true });
    }
  });

  it('is ended when it takes too long in all', async () => {
    const failure = await failureOf(() => dump('while sleep 0.05; do echo more; done', { timeLimit: 500 }));
    expect(failure.message).to.include('too long');
  });

  it('fails with what it said, and in few words', async () => {
    const failure = await failureOf(() => dump('echo half; yes "much to say" | head -c 1000000 >&2; echo the end >&2; exit 4'));
    expect(failure.message).to.include('exit code 4').and.to.include('much to say');
    expect(failure.message.length).to.be.lessThan(5000);
  });

  it('is made once more when a table was changed meanwhile, and given up when that happens again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-dump-'));
    const changed = `echo half; touch ${folder}/$$; echo 'Error 1412: Table definition has changed, please retry transaction' >&2; exit 3`;
    try {
      const once = `[ -e ${folder}/first ] && exec echo whole; touch ${folder}/first; ${changed}`;
      // The moment is the second one's: the first is not what was stored.
      expect(await dump(once)).to.deep.include({ size: 'whole\n'.length, moment: new Date(2) });
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
      expect((await failureOf(() => dump(changed))).message).to.include('definition has changed');
      expect(readdirSync(folder)).to.have.length(2);
      expect((await failureOf(() => dump(`touch ${folder}/$$; echo 'Access denied' >&2; exit 2`))).message).to.include('Access denied');
      expect(readdirSync(folder)).to.have.length(3);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
