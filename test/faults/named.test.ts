import { tryThese } from './enumerate.ts';
import type { Fault } from './layer/fault.ts';
import { FAULTS_TIMEOUT_MS } from './limits.ts';

function fault(thread: Fault['thread'], call: string, nth: number, rest: Partial<Fault>): Fault {
  return { thread, call, nth, action: 'errno', errno: 'EIO', forever: false, ...rest };
}

describe('faults that once came out wrong', function () {
  this.timeout(FAULTS_TIMEOUT_MS);

  it('a message that cannot be read, on either side: a run ends, and what it calls ok is', () =>
    tryThese('next run', [
      fault('main', 'thread.postMessage', 1, { action: 'drop' }),
      fault('main', 'thread.postMessage', 3, { action: 'drop' }),
      fault('pack', 'thread.postMessage', 1, { action: 'drop' }),
      // A new file that can never be locked: it ends.
      fault('main', 'libc.flock', 2, { errno: 'EAGAIN', forever: true }),
    ]));

  it('a record of the run that cannot be put in its place: its units are told', () =>
    tryThese('next run', [fault('main', 'libc.linkat', 0, { errno: 'EDQUOT', forever: true })]));

  it('a message that cannot be read by a thread that writes, or comes from it: the restore ends', () =>
    tryThese('restore with threads', [
      fault('main', 'thread.postMessage', 1, { action: 'drop' }),
      fault('write', 'thread.postMessage', 1, { action: 'drop' }),
    ]));

  it('a folder of the restore itself that cannot be used, locked or removed, and one that cannot be listed for what has to go: named', () =>
    tryThese('restore in place', [
      fault('main', 'libc.flistxattr', 1, { errno: 'ENOSPC', forever: true }),
      fault('main', 'libc.getdents64', 0, { errno: 'EAGAIN' }),
      fault('main', 'libc.unlinkat', 0, { errno: 'ESTALE', forever: true }),
      fault('main', 'libc.flock', 1, { errno: 'EAGAIN', forever: true }),
      fault('main', 'libc.getdents64', 19, { errno: 'ETIMEDOUT', forever: true }),
      fault('main', 'libc.getdents64', 23, { action: 'defect' }),
    ]));

  it('a record, a unit or a server of which the place gives nothing: no answer is called whole without it', async () => {
    const forever = (call: string, nth: number, errno: Fault['errno'] = 'EIO') => fault('main', call, nth, { errno, forever: true });
    const documents = [3, 4, 5, 6, 7];
    await tryThese(
      'reading: a search',
      documents.map((nth) => forever('backend.readWhole', nth)),
    );
    await tryThese(
      'reading: a trial of a prune',
      documents.map((nth) => forever('backend.readWhole', nth)),
    );
  });

  it('a change of keys that the state cannot keep, which decides: it is no success', () =>
    tryThese('story: a change of keys', [
      fault('main', 'fs.renameSync', 0, { forever: true }),
      fault('main', 'fs.writeFileSync', 0, { errno: 'ENOSPC' }),
    ]));
});
