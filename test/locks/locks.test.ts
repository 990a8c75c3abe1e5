import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { takeLock, waitForLock } from '../../core/locks/locks.ts';
import { failureOf } from '../failure-of.ts';

describe('locks', () => {
  let state: string;

  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'locks-'));
  });

  afterEach(() => rmSync(state, { recursive: true }));

  /** Another process that takes the lock, says so and waits. */
  async function holder(name: string): Promise<ChildProcess> {
    const module = join(import.meta.dirname, '../../core/locks/locks.ts');
    const program = `
      const { takeLock } = await import(${JSON.stringify(module)});
      takeLock(${JSON.stringify(state)}, ${JSON.stringify(name)}, 'a backup');
      process.stdout.write('held');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    return child;
  }

  function refusal(name: string): Failure {
    try {
      takeLock(state, name, 'a restore').release();
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
    throw new Error(`${name} was free`);
  }

  it('exclude a second holder in the same process until they are released', () => {
    const lock = takeLock(state, 'site1', 'a backup');
    expect(refusal('site1')).to.include({ code: 'locked', retry: true });
    takeLock(state, 'site2', 'a backup').release();
    lock.release();
    lock.release();
    takeLock(state, 'site1', 'a restore').release();
  });

  it('name the process that holds them and what for', async () => {
    const child = await holder('site1');
    try {
      expect(refusal('site1').message).to.include('a backup').and.to.include(String(child.pid));
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  });

  it('are free again when their holder was killed (case 36)', async () => {
    const child = await holder('site1');
    child.kill('SIGKILL');
    await once(child, 'close');
    takeLock(state, 'site1', 'a restore').release();
  });

  it('let several in who share them, and keep one out who does not', () => {
    const readers = [takeLock(state, 'site1', 'a restore', 'shared'), takeLock(state, 'site1', 'a restore', 'shared')];
    expect(refusal('site1')).to.include({ code: 'locked' });
    for (const reader of readers) reader.release();
    const alone = takeLock(state, 'site1', 'a prune');
    expect(() => takeLock(state, 'site1', 'a restore', 'shared')).to.throw(Failure);
    alone.release();
  });

  it('are waited for until their holder is done, the time is over, or somebody stops it', async () => {
    const holding = takeLock(state, 'site1', 'a backup');
    const told: string[] = [];
    const controller = new AbortController();
    const wait = (minutes: number) =>
      waitForLock(state, 'site1', 'a backup', { minutes, signal: controller.signal, onWait: ({ message }) => told.push(message) });
    expect(await failureOf(() => wait(0))).to.include({ code: 'locked' });
    expect(told).to.deep.equal([]);
    expect(await failureOf(() => wait(0.001))).to.include({ code: 'locked' });
    expect(told).to.have.length(1);
    const waiting = wait(1);
    holding.release();
    const taken = await waiting;
    const stopped = wait(1);
    controller.abort();
    expect(await failureOf(() => stopped)).to.include({ code: 'cancelled' });
    taken.release();
  });

  it('cannot be opened by others, also when their file was left open to them', () => {
    takeLock(state, 'site1', 'a backup').release();
    const file = join(state, 'locks/site1.lock');
    chmodSync(file, 0o666);
    takeLock(state, 'site1', 'a backup').release();
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(statSync(join(state, 'locks')).mode & 0o777).to.equal(0o700);
  });

  it('cannot lie outside their folder', () => {
    expect(() => takeLock(state, '../site1', 'x')).to.throw(Failure);
  });
});
