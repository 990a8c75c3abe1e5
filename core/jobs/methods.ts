import { withLimitedRights } from '../commands/limited-rights.ts';
import { checkedMethod, METHODS, type Methods } from '../commands/registry.ts';
import { recorded } from './recorded.ts';
import { supervised } from './supervised.ts';

/** What is about jobs. A process that starts one keeps its rights until then: the job has no others. */
const JOB_METHODS: Methods = new Map([
  checkedMethod('start', async () => {
    const { startJob } = await import('./start-job.ts');
    return (request, context) => startJob(request, context, METHODS);
  }),
  checkedMethod('account', async () => {
    const { accountEvent } = await import('./account-event.ts');
    return (request, context) => accountEvent(request, context, METHODS);
  }),
  checkedMethod('job', async () => (await import('./job-commands.ts')).job),
  checkedMethod('jobs', async () => (await import('./job-commands.ts')).jobs),
  checkedMethod('cancel', async () => (await import('./job-commands.ts')).cancel),
  checkedMethod('log', async () => (await import('./job-commands.ts')).log),
]);

const WORKING = supervised(METHODS);

/** Every method of this program by its name, as both front ends have it. */
export const ALL_METHODS: Methods = new Map([...withLimitedRights(recorded(WORKING)), ...JOB_METHODS]);

/** What the process of a job does; its record is there already. */
export const METHODS_OF_A_JOB: Methods = withLimitedRights(WORKING);
