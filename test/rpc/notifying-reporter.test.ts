import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import type { Progress } from '../../core/context/context.ts';
import { NotifyingReporter } from '../../core/rpc/notifying-reporter.ts';
import { NOTIFICATIONS } from '../../core/schemas/messages.ts';

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

  it('carry rate and time left, and are what their schema says', () => {
    const sent: unknown[] = [];
    let now = 0;
    const reporter = new NotifyingReporter({ notify: (method, params) => void sent.push([method, params]) }, 'a', () => now);
    const all = { ...at(0), unitNumber: 2, unitCount: 5, entriesTotal: 100, bytesTotal: 0, byEntries: true };
    reporter.progress(all);
    now = 1000;
    reporter.progress({ ...all, entries: 40 });
    reporter.log({ level: 'info', code: 'paused', message: 'a pause', affected: ['site1'] });
    expect(sent[1]).to.deep.equal(['progress', { request: 'a', ...all, entries: 40, rate: { entries: 40, bytes: 0 }, secondsLeft: 2 }]);
    const ajv = new Ajv2020({ strictTypes: false });
    for (const [method, params] of sent as [keyof typeof NOTIFICATIONS, unknown][]) {
      ajv.validate(NOTIFICATIONS[method], params);
      expect(ajv.errors, method).to.equal(null);
    }
  });

  it('leave log lines alone: each of them comes', () => {
    const sent: unknown[] = [];
    const reporter = new NotifyingReporter({ notify: (method, params) => void sent.push([method, params]) }, null);
    reporter.log({ level: 'warning', code: 'vanished', message: 'gone' });
    reporter.log({ level: 'warning', code: 'vanished', message: 'gone' });
    expect(sent).to.deep.equal(Array(2).fill(['log', { request: null, level: 'warning', code: 'vanished', message: 'gone' }]));
  });
});
