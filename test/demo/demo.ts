/**
 * The main job on real accounts, through the panel's command line alone: back up a server, damage an account, give a file, a
 * folder and the whole account back, and compare every property of every entry; then a week of one account and the way back to
 * its Wednesday. Exits with 1 when anything differs, and leaves nothing mounted and nothing behind, however it ends.
 */
import { join } from 'node:path';
import { execa } from 'execa';
import { removeTree } from '../accounts/clean-up.ts';
import { Ceph } from '../object-stores/ceph.ts';

const FOLDER = join(import.meta.dirname, '../../.demo');
const RUN = join(FOLDER, 'run');
/** Kept from one time to the next. */
const PACKAGES = join(FOLDER, 'packages');
const INTERRUPTED = 130;

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) {
    process.stderr.write('The demo mounts file systems and changes owners: run it as root.\n');
    return 1;
  }
  await removeTree(RUN);
  // In a process group of its own, so that an interruption ends all of it before anything is cleaned up.
  const job = execa(process.execPath, [join(import.meta.dirname, 'job.ts'), RUN, PACKAGES], {
    stdio: 'inherit',
    detached: true,
    reject: false,
  });
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted = true;
      if (job.pid !== undefined) process.kill(-job.pid, 'SIGKILL');
    });
  }
  const { exitCode } = await job;
  // Its processes are none of the group.
  await Ceph.endNoted(join(RUN, 'ceph'));
  await removeTree(RUN);
  return interrupted ? INTERRUPTED : (exitCode ?? 1);
}

process.exitCode = await main();
