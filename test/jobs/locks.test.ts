import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { takeLock } from '../../core/jobs/locks.ts';

describe('locks', () => {
  let state: string;

  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'locks-'));
  });

  afterEach(() => rmSync(state, { recursive: true }));

  /** Another process that takes the lock, says so and waits. */
  async function holder(name: string): Promise<ChildProcess> {
    const module = join(import.meta.dirname, '../../core/jobs/locks.ts');
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

  it('are free again when their holder was killed', async () => {
    const child = await holder('site1');
    child.kill('SIGKILL');
    await once(child, 'close');
    takeLock(state, 'site1', 'a restore').release();
  });

  it('cannot lie outside their folder', () => {
    expect(() => takeLock(state, '../site1', 'x')).to.throw(Failure);
  });
});
