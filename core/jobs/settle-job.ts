import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { asFailure } from '../failure.ts';
import { EXIT } from '../schemas/exit-codes.ts';
import { readOutcome, recordIfReadable, writeOutcome } from './record/job-record.ts';
import { dismissReaderOf } from './record/old-records.ts';
import { stateDirectoryOf } from './record/places.ts';
import { liveTicket, removeTicket } from './record/ticket.ts';
import { lost } from './views.ts';

/**
 * What systemd has done when the unit of a job has ended. A job that said what came of it is left alone, and one that another process
 * has in hand. Of any other it is recorded why it ended, which systemd knows and says in the environment, and nobody waits any longer for
 * what it was to bring. Returns the exit code.
 */
export function settleJob(folder: string, environment: Readonly<Record<string, string | undefined>>): number {
  const record = recordIfReadable(folder);
  if (record === undefined || record.id !== basename(folder)) {
    process.stderr.write('error: this is for the program itself\n');
    return EXIT.usage;
  }
  const stateDirectory = stateDirectoryOf(folder);
  try {
    if (readOutcome(folder) !== undefined || liveTicket(stateDirectory, record.id) !== undefined) return EXIT.ok;
    dismissReaderOf(record);
    writeOutcome(folder, { ...lost(record, causeOf(environment)), ended: new Date().toISOString() });
    removeTicket(stateDirectory, record.id);
    return EXIT.ok;
  } catch (error) {
    // It is seen as lost all the same.
    process.stderr.write(`error: why the job ${record.id} ended cannot be recorded: ${asFailure(error).message}\n`);
    return EXIT.failed;
  }
}

/** Why a unit ended, in the words of systemd.exec(5). */
function causeOf({
  SERVICE_RESULT = '',
  EXIT_CODE = '',
  EXIT_STATUS = '',
}: Readonly<Record<string, string | undefined>>): string | undefined {
  if (EXIT_CODE === 'exited') return `exit code ${EXIT_STATUS}`;
  if (SERVICE_RESULT === 'oom-kill' || (EXIT_STATUS === 'KILL' && ranOutOfMemory()))
    return 'it was killed because it took more memory than a job may have (MemoryMax)';
  return EXIT_STATUS === '' ? undefined : `it was killed (SIG${EXIT_STATUS})`;
}

/** Whether the kernel has ended a process of this control group for want of memory. */
function ranOutOfMemory(): boolean {
  return countersOfMemory().some((text) => /^oom_kill [1-9]/m.test(text));
}

/** What the kernel counts of this control group, wherever the system has it. */
function countersOfMemory(): string[] {
  return textsOf(['/proc/self/cgroup'])
    .flatMap((groups) => groups.split('\n'))
    .flatMap((line) => {
      const [, controllers = '', group] = /^\d+:([^:]*):(.+)$/.exec(line) ?? [];
      if (group === undefined) return [];
      if (controllers.split(',').includes('memory')) return textsOf([`/sys/fs/cgroup/memory${group}/memory.oom_control`]);
      return controllers === '' ? textsOf(['', '/unified'].map((place) => `/sys/fs/cgroup${place}${group}/memory.events`)) : [];
    });
}

/** Of the files that can be read. */
function textsOf(files: readonly string[]): string[] {
  return files.flatMap((file) => {
    try {
      return [readFileSync(file, 'utf8')];
    } catch {
      return [];
    }
  });
}
