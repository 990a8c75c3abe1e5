import { expect } from 'chai';
import { nightMessage } from '../../core/notify/night-message.ts';
import { isWorthTelling, type NightReport, type ToldProblem } from '../../core/notify/night-report.ts';

const TIME = '2026-11-26T03:00:00.000Z';
const problem = (unit: string | null, code: string, message: string, since: string | null = null): ToldProblem => {
  return { code, unit, message, advice: `apiscp-backup run ${unit}`, since };
};
const report = (more: Partial<NightReport>): NightReport => {
  const nothing = { event: 'night 1', server: 'web1', time: TIME, began: null, steps: [], problems: [], recovered: [], domains: new Map() };
  return { ...nothing, ...more };
};
const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

describe('the message of a night', () => {
  it('says what failed, for whom, since when, and what to do', () => {
    const failed = problem(
      'site7',
      'failed',
      'its backup of 2026-11-26T01:31:00.000Z failed: no room (disk_full)',
      '2026-11-20T01:31:00.000Z',
    );
    const { subject, text, short, type } = nightMessage(report({ problems: [failed], domains: new Map([['site7', 'example.test']]) }));
    expect(subject).to.equal('web1: backups of one account need attention');
    expect(type).to.equal('backup.partial');
    expect(text).to.contain('site7 (example.test): its backup of 2026-11-26T01:31:00.000Z failed: no room (disk_full)');
    expect(text).to.contain('It is so since 2026-11-20 01:31 UTC (6 days).').and.to.contain('What to do: apiscp-backup run site7');
    expect(short).to.contain('since 2026-11-20 01:31 UTC (6 days)');
  });

  it('is one of bounded length for thousands of accounts, and names a cause that they share once', () => {
    const sites = Array.from({ length: 5000 }, (_, index) => `site${index + 1}`);
    const shared = sites.map((site) => problem(site, 'failed', `its backup of ${TIME} failed: no room for ${site} (disk_full)`));
    const { text, subject, data } = nightMessage(report({ problems: shared }));
    expect(subject).to.contain('5000 accounts');
    expect(text.match(/no room/g)).to.have.length(1);
    expect(text).to.contain('5000 accounts (site1, site2,').and.to.contain('and 4990 more');
    expect(JSON.stringify(data).length).to.be.lessThan(10_000);
    const each = sites.map((site, index) => problem(site, 'failed', `${'x'.repeat(50_000)} ${'y'.repeat(index)}`));
    const recovered = sites.map((site) => ({ key: `overdue ${site}`, since: TIME }));
    const all = nightMessage(report({ problems: each.map((one, index) => ({ ...one, message: `${index} ${one.message}` })), recovered }));
    expect(all.text.length).to.be.lessThan(40_000);
    expect(all.text).to.contain('There are 4980 more problems').and.to.contain('and 4950 more');
    expect(all.short.length).to.be.lessThan(1000);
    expect(JSON.stringify(all.data).length).to.be.lessThan(50_000);
  });

  it('lets nothing that a name holds steer a header, a line or a terminal', () => {
    const evil = 'a\r\nBcc: x@y.test\n\n<script>\u001b[2J\u202eb\u2028\ud800\0';
    const { subject, text, short, data } = nightMessage(
      report({
        server: evil,
        problems: [problem('site1', 'failed', evil), problem(null, 'unreadable', evil)],
        recovered: [{ key: `overdue ${evil}`, since: TIME }],
        domains: new Map([['site1', evil]]),
        began: TIME,
        steps: [{ step: 'run', status: 'failed', message: evil }],
      }),
    );
    expect(subject).not.to.match(control);
    for (const line of [...text.split('\n'), ...short.split('\n')])
      expect(line)
        .not.to.match(control)
        .and.not.to.match(/^(Bcc|<script)/);
    expect(JSON.stringify(data).isWellFormed()).to.equal(true);
  });

  it('puts the worst first, and calls urgent what is', () => {
    const outcome = (more: Partial<NightReport>) => {
      const { type, isUrgent } = nightMessage(report(more));
      return [type.replace('backup.', ''), isUrgent];
    };
    expect(outcome({})).to.deep.equal(['ok', false]);
    expect(outcome({ recovered: [{ key: 'overdue site1', since: TIME }] })).to.deep.equal(['recovered', false]);
    expect(outcome({ problems: [problem('site1', 'overdue', '')] })).to.deep.equal(['partial', false]);
    expect(outcome({ problems: [problem(null, 'night_missed', '')] })).to.deep.equal(['missed', true]);
    expect(outcome({ steps: [{ step: 'run', status: 'failed', message: '' }] })).to.deep.equal(['failed', true]);
    expect(outcome({ problems: [problem('site1', 'damaged', '')] })).to.deep.equal(['damaged', true]);
  });

  it('says what is in order again, and that nothing is wrong is not worth a message', () => {
    const { subject, text } = nightMessage(report({ recovered: [{ key: 'failed site7', since: '2026-11-24T01:31:00.000Z' }] }));
    expect(subject).to.equal('web1: backups are in order again');
    expect(text).to.contain('In order again:\n  site7: its backup failed, since 2026-11-24 01:31 UTC (2 days)');
    expect(isWorthTelling(report({}))).to.equal(false);
  });
});
