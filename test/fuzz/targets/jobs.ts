import { closeSync, constants, mkdirSync, openSync, rmSync, utimesSync } from 'node:fs';
import { renderJobs, renderLog } from '../../../core/cli/job-results.ts';
import { nextOf, requireRoom } from '../../../core/jobs/queue.ts';
import { EventLog, readEvents } from '../../../core/jobs/record/event-log.ts';
import { createRecord, type JobRecord, readProgress, readRecord, writeJson } from '../../../core/jobs/record/job-record.ts';
import { removeOldRecords } from '../../../core/jobs/record/old-records.ts';
import { FILES } from '../../../core/jobs/record/places.ts';
import { createTicket, HeldTicket, liveTickets } from '../../../core/jobs/record/ticket.ts';
import { standingOf } from '../../../core/jobs/views.ts';
import { closeOpened } from '../../../core/restore/target/opened-folders.ts';
import type { Target } from '../target.ts';
import { written } from './real-objects.ts';
import { putState, STATE, WORLD } from './world.ts';

const { id } = WORLD;
const RECORD: JobRecord = {
  id,
  method: 'run',
  request: { units: ['site1'] },
  asker: { role: 'owner', site: 'site1', incarnation: '1-2' },
  user: 'admin',
  created: '2026-11-01T02:00:00.000Z',
  directory: '/root',
};
const ERROR = { code: 'locked', message: 'no', affected: ['site1'], advice: 'wait', retry: true };
const OUTCOME = { state: 'failed', ended: '2026-11-01T03:00:00.000Z', result: { units: [] }, error: ERROR };
const TICKET = { id, site: 'site1', size: 0, key: 'site1', isQueued: true };
const WORDS = ['null', '[]', '{}', '""', '-1', '"__proto__":', id, 'owner', 'n{', 'r{', 'w{', '\n', '"asker":', '"request":', '"units":'];

/** What `jobs`, `job` and `log` show of a record in which one file is the input. */
function ofRecord(name: string, file: string, seeds: Target['seeds']): Target {
  const run: Target['run'] = (input) => {
    rmSync(`${STATE}/jobs`, { recursive: true, force: true });
    const folder = createRecord(STATE, RECORD);
    putState(`jobs/records/${id}/${file}`, input);
    const record = readRecord(folder);
    if (record !== undefined) {
      const { view, outcome } = standingOf(record, STATE);
      renderJobs({ jobs: [view], next: null }, true);
      Object.keys(outcome?.result ?? {});
      view.units.map((unit) => unit.trim());
    }
    Object.keys(readProgress(folder) ?? {});
    renderLog({ job: id, state: 'running', events: readEvents(folder), next: 0 });
    removeOldRecords(STATE, Date.now());
  };
  return { name: `job-${name}`, refuses: [], words: WORDS, seeds, run };
}

const fileOf = (name: string, value: object) => () => written((folder) => writeJson(folder, name, value));

export const jobTargets: readonly Target[] = [
  ofRecord('record', FILES.job, fileOf(FILES.job, RECORD)),
  ofRecord('outcome', FILES.outcome, fileOf(FILES.outcome, OUTCOME)),
  ofRecord('progress', FILES.progress, fileOf(FILES.progress, { phase: 'scan', unit: 'site1', entries: 3 })),
  ofRecord('begun', FILES.begun, fileOf(FILES.begun, { time: RECORD.created })),
  ofRecord('events', FILES.events, () =>
    written((folder) => {
      const log = new EventLog(folder);
      for (const message of ['begun', 'näxt']) log.add({ kind: 'notice', level: 'info', code: 'phase', message });
    }),
  ),
  {
    name: 'job-ticket',
    refuses: ['too_many_jobs'],
    words: WORDS,
    seeds: () => written((folder) => createTicket(folder, TICKET)),
    run: async (input) => {
      rmSync(`${STATE}/jobs`, { recursive: true, force: true });
      const file = `jobs/tickets/${id}`;
      putState(file, input);
      const other = { ...TICKET, id: '20261101T040000123Z-5be0a6c2', key: 'site2' };
      createTicket(STATE, other);
      const held = await HeldTicket.take(STATE, other.id);
      const broken = await HeldTicket.take(STATE, id);
      try {
        const live = liveTickets(STATE);
        requireRoom('site1', live);
        // Whatever a ticket says, another one's turn comes.
        if (!nextOf(live, Date.now()).some((ticket) => ticket.id === other.id))
          throw new Error('a broken ticket is in the way of another one');
        utimesSync(`${STATE}/${file}`, 0, 0);
      } finally {
        broken?.giveBack();
        held?.giveBack();
      }
      removeOldRecords(STATE, Date.now());
    },
  },
  {
    name: 'opened-folders',
    refuses: [],
    words: [...WORDS, '"path":', '"device":', '"inode":', '"birth":', '"flags":', '/', '../', '\\u0000', '4294967295'],
    seeds: () => [Buffer.from(`\n${JSON.stringify({ path: '/nowhere/at/all', device: '1', inode: '2', birth: '3', flags: 16 })}\n`)],
    run: (input) => {
      mkdirSync(`${STATE}/staging`, { recursive: true });
      putState('staging/opened-folders', input);
      const staging = openSync(`${STATE}/staging`, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        closeOpened(staging, ({ message, path }) => `${message}${path.trim()}`);
      } finally {
        closeSync(staging);
      }
    },
  },
];
