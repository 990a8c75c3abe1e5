import { enumerate } from './enumerate.ts';
import { FAULTS_TIMEOUT_MS } from './limits.ts';

/** What no other file here has a scenario of. */
const VERBS = [
  ...['init', 'init with keys', 'a change of keys', 'a hold', 'a release', 'an incremental that is encrypted'],
  ...['a verification', 'a verification of samples', 'a list', 'a search', 'a restore that is encrypted'],
];

describe('every other verb under every fault', function () {
  this.timeout(FAULTS_TIMEOUT_MS);

  for (const verb of VERBS) {
    it(`${verb}: what is called good is, the cause of all else is told, and nothing that was there is harmed`, () =>
      enumerate(`story: ${verb}`, { most: 3 }));
  }
});
