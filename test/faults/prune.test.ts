import { enumerate } from './enumerate.ts';
import { FAULTS_TIMEOUT_MS } from './limits.ts';

describe('a prune under every fault', function () {
  this.timeout(FAULTS_TIMEOUT_MS);

  it('loses no snapshot that it keeps, says so when something is left, and is finished by the next one', () => enumerate('prune'));
});
