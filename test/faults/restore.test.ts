import { enumerate } from './enumerate.ts';
import { FAULTS_TIMEOUT_MS } from './limits.ts';

describe('a restore under every fault', function () {
  this.timeout(FAULTS_TIMEOUT_MS);

  it('to a folder: what is called restored is, the rest is named, and the next one completes it', () => enumerate('restore to a folder'));

  it('in place: the same, over what stands there', () => enumerate('restore in place'));

  it('with threads: the same when they die', () => enumerate('restore with threads'));
});
