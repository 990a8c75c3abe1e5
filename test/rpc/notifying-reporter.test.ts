import { expect } from 'chai';
import type { Progress } from '../../core/commands/context.ts';
import { NotifyingReporter } from '../../core/rpc/notifying-reporter.ts';

const at = (entries: number): Progress => ({ phase: 'reading', unit: 'site1', entries, bytes: 0 });

describe('progress notifications', () => {
  it('come at most five times a second, and the last state always comes', () => {
    const sent: unknown[] = [];
    let now = 0;
    const reporter = new NotifyingReporter({ notify: (_method, params) => void sent.push(params) }, 5, () => now);
    for (let step = 0; step <= 1001; step++) {
      now = step;
      reporter.progress(at(step));
    }
    reporter.finish();
    const entries = sent.map((params) => (params as Progress).entries);
    expect(entries).to.deep.equal([0, 200, 400, 600, 800, 1000, 1001]);
    expect(sent[0]).to.deep.include({ request: 5, unit: 'site1', phase: 'reading' });
    reporter.finish();
    expect(sent).to.have.length(7);
  });

  it('leave log lines alone: each of them comes', () => {
    const sent: unknown[] = [];
    const reporter = new NotifyingReporter({ notify: (method, params) => void sent.push([method, params]) }, null);
    reporter.log({ level: 'warning', code: 'vanished', message: 'gone' });
    reporter.log({ level: 'warning', code: 'vanished', message: 'gone' });
    expect(sent).to.deep.equal(Array(2).fill(['log', { request: null, level: 'warning', code: 'vanished', message: 'gone' }]));
  });
});
