import type { Limits } from '../../config/limits.ts';
import type { JobMethod } from '../../schemas/jobs.ts';

/** Somebody waits for these. */
const WAITED_FOR: ReadonlySet<JobMethod> = new Set(['restore', 'restoreDatabase', 'download']);

/** The weight of what gives way to the sites, as the unit of the nightly backup has it; 100 is everybody's. */
const LOW_WEIGHT = 20;

/** What is known since systemd 243: an older one, as EL8 has it, starts no unit that is to have it, and stops none for that reason. */
const NEWER = { OOMPolicy: 'continue' };

/** What systemd reads as it is in a command of a unit: no quotes, and nothing that stands for something else. */
const PLAIN = /^[\w./:@=,+-]+$/;

/**
 * The arguments of systemd-run for a job. `settling` is what follows the end of its process; `isOld` for a systemd that does not know all of
 * the properties. Nothing of the job's request is among them: everybody can read those.
 */
export function unitArguments(
  { id, method }: { readonly id: string; readonly method: JobMethod },
  { nice }: Pick<Limits, 'nice'>,
  settling: readonly string[],
  isOld = false,
): string[] {
  const isWaitedFor = WAITED_FOR.has(method);
  const properties: Record<string, string | number> = {
    Nice: isWaitedFor ? 0 : nice,
    ...(isWaitedFor ? {} : { IOWeight: LOW_WEIGHT, CPUWeight: LOW_WEIGHT }),
    // What is above this is a defect, and must not cost a site its memory.
    MemoryMax: '50%',
    LimitFSIZE: 'infinity',
    LimitAS: 'infinity',
    LimitCORE: 0,
    LimitNOFILE: 524_288,
    OOMScoreAdjust: 0,
    // One process of a run may die of a full memory; the other one goes on behind the account that it cost.
    ...(isOld ? {} : NEWER),
    // The job stops at a safe point, and ends what it has started itself.
    KillMode: 'mixed',
    TimeoutStopSec: '15min',
    UMask: '0077',
    StandardInput: 'null',
    StandardOutput: 'null',
    ...(settling.every((word) => PLAIN.test(word)) ? { ExecStopPost: settling.join(' ') } : {}),
  };
  return [
    '--quiet',
    '--collect',
    `--unit=apiscp-backup-job-${id.toLowerCase()}`,
    `--description=Backup job ${id} (${method})`,
    ...Object.entries(properties).map(([name, value]) => `--property=${name}=${value}`),
    '--setenv=HOME=/root',
    '--setenv=LANG=C.UTF-8',
  ];
}
