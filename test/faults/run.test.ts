import { enumerate } from './enumerate.ts';
import { FAULTS_TIMEOUT_MS } from './limits.ts';

describe('a run under every fault (case 35)', function () {
  this.timeout(FAULTS_TIMEOUT_MS);

  it('of accounts that were never backed up: what is ok restores, nothing of one account reaches another, the next run is good', () =>
    enumerate('first run'));

  it('of accounts that changed: the same, on the snapshots before', () => enumerate('next run'));

  it('of an account of many entries, when what looks at them fails: nothing counts as deleted, and the end is told', () =>
    enumerate('run of many entries', { thread: 'read' }));

  it('that copies what is needed of old packs: the same', () => enumerate('run that compacts'));
});
