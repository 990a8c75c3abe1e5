import { enumerate } from './enumerate.ts';
import { FAULTS_TIMEOUT_MS } from './limits.ts';
import { READING_COMMANDS } from './reading-commands.ts';

/** What no other file here has a scenario of. */
const VERBS: readonly string[] = [
  ...['init', 'init with keys', 'a change of keys', 'a hold', 'a release', 'an incremental that is encrypted'],
  ...['trust in a key', 'a repair', 'a download', 'a restore that is encrypted'],
  ...['an adoption', 'a joining', 'a forgetting', 'a copy', 'a night'],
  ...(process.env.SLOW === '1' ? ['a first copy'] : []),
];

/** In the normal run all commands that read are one, so that a world is made once; with SLOW=1 each is looked at by itself. */
const READINGS = (['reading', 'encrypted reading'] as const).flatMap((kind) =>
  process.env.SLOW === '1' ? Object.keys(READING_COMMANDS).map((name) => `${kind}: ${name}` as const) : [kind],
);

describe('every other verb under every fault', function () {
  this.timeout(FAULTS_TIMEOUT_MS);

  for (const verb of VERBS) {
    it(`${verb}: what is called good is, the cause of all else is told, and nothing that was there is harmed`, () =>
      enumerate(`story: ${verb}`, { most: 2 }));
  }

  it('a run with databases on real servers: a dump that is called whole is, and no other suffers', () =>
    enumerate('run with databases', { most: 2 }));

  it('a restore of databases: each is what it was or what it should become, and the next one completes it', () =>
    enumerate('restore of databases', { most: 2 }));

  it('a job and its record: what is asked for is done or refused, nothing is said to be what it is not, and the next has its turn', () =>
    enumerate('job', { most: 4 }));

  it('what is remembered of a distant place: whatever fails there, all answers are the right ones', () =>
    enumerate('known place', { most: 40 }));

  for (const reading of READINGS) {
    it(`${reading}: an answer is the right one, or says that it is not, and why`, () => enumerate(reading, { most: 6 }));
  }
});
