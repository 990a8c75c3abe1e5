import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { metricsText, writeMetrics } from '../../core/notify/metrics.ts';
import type { StatusResult, UnitStatus } from '../../core/schemas/status.ts';

const UNIT = {
  unit: 'site1',
  domain: 'a"b\\c\nd\u{d800}é',
  living: true,
  level: 'incremental',
  complete: true,
  time: '2026-11-26T01:31:00.500Z',
  overdue: false,
  chainLength: 3,
  chainBytes: 2 ** 40,
  bytes: 10,
  entries: 4,
  warnings: 1,
  verified: null,
  outcome: 'ok',
  copies: [
    { name: 'usb', snapshot: 'x', newest: true, time: '2026-11-26T01:31:00.000Z', overdue: false, verified: null, damaged: false },
    { name: 'far', snapshot: null, newest: false, time: null, overdue: true, verified: '2026-11-25T00:00:00.000Z', damaged: true },
  ],
} as unknown as UnitStatus;

const STATUS = {
  status: 'partial',
  destination: '/srv/backups',
  automatic: { enabled: true },
  coverage: { living: 1, withoutBackup: ['site2'], vanished: [] },
  problems: [{ code: 'overdue' }, { code: 'overdue' }],
  units: [UNIT],
  copies: [
    { name: 'usb', repository: '/mnt/"usb', status: 'ok', time: null, lastGood: '2026-11-26T02:00:00.000Z', message: null },
    { name: 'far', repository: 'sftp:x:/y', status: 'never', time: null, lastGood: null, message: null },
  ],
} as unknown as StatusResult;

/** What stands in the text format, by name and labels; throws for a line that its grammar does not have. */
function parsed(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const told = new Set<string>();
  const sample = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (-?[0-9.e+-]+)$/;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (comment !== null) {
      expect(told.has(`${comment[1]} ${comment[2]}`), line).to.equal(false);
      told.add(`${comment[1]} ${comment[2]}`);
      continue;
    }
    const [, name, labels = '', value] = sample.exec(line) ?? expect.fail(line);
    expect(told.has(`TYPE ${name}`), line).to.equal(true);
    expect(samples.has(`${name}${labels}`), line).to.equal(false);
    samples.set(`${name}${labels}`, Number(value));
  }
  return samples;
}

describe('the metrics', () => {
  const measured = {
    status: STATUS,
    night: undefined,
    lastRun: { finished: 100, seconds: 12.5 },
    freeBytes: new Map([['/srv/backups', 2 ** 41]]),
  };

  it('are in the text format, whatever a name holds', () => {
    const text = metricsText(measured);
    expect(text.endsWith('\n')).to.equal(true);
    const samples = parsed(text);
    const labels = '{site="site1",domain="a\\"b\\\\c\\nd\u{fffd}é",level="incremental",destination="/srv/backups"}';
    expect(samples.get(`apiscp_backup_last_success_timestamp_seconds${labels}`)).to.equal(Date.parse(UNIT.time ?? '') / 1000);
    expect(samples.get('apiscp_backup_bytes{site="site1",kind="stored",destination="/srv/backups"}')).to.equal(2 ** 40);
    expect(samples.get('apiscp_backup_problems{code="overdue"}')).to.equal(2);
    expect(samples.get('apiscp_backup_status{status="partial"}')).to.equal(1);
    expect(samples.get('apiscp_backup_repository_free_bytes{destination="/srv/backups"}')).to.equal(2 ** 41);
    expect(samples.get('apiscp_backup_last_duration_seconds')).to.equal(12.5);
    expect(text).not.to.contain('apiscp_backup_verify_last');
    const ofCopies = new Map([...samples].filter(([name]) => name.startsWith('apiscp_backup_copy')));
    expect([...ofCopies].filter(([, value]) => value !== 0)).to.deep.equal([
      ['apiscp_backup_copy_status{copy="usb",destination="/mnt/\\"usb",status="ok"}', 1],
      ['apiscp_backup_copy_status{copy="far",destination="sftp:x:/y",status="never"}', 1],
      [
        'apiscp_backup_copy_last_success_timestamp_seconds{copy="usb",destination="/mnt/\\"usb"}',
        Date.parse('2026-11-26T02:00:00Z') / 1000,
      ],
      ['apiscp_backup_copy_site_last_success_timestamp_seconds{site="site1",copy="usb"}', Date.parse('2026-11-26T01:31:00Z') / 1000],
      ['apiscp_backup_copy_site_overdue{site="site1",copy="far"}', 1],
      ['apiscp_backup_copy_site_damaged{site="site1",copy="far"}', 1],
      ['apiscp_backup_copy_site_verify_last_timestamp_seconds{site="site1",copy="far"}', Date.parse('2026-11-25T00:00:00Z') / 1000],
    ]);
  });

  it('say that nothing could be told when nothing could', () => {
    const samples = parsed(metricsText({ status: undefined, night: undefined, lastRun: undefined, freeBytes: new Map() }));
    expect([...samples]).to.deep.equal([['apiscp_backup_readable', 0]]);
  });

  it('replace the file before as a whole, for everybody to read, and never what a link in its place leads to', () => {
    const folder = mkdtempSync(join(tmpdir(), 'metrics-'));
    try {
      const file = join(folder, 'backup.prom');
      writeFileSync(join(folder, 'victim'), 'kept');
      symlinkSync(join(folder, 'victim'), file);
      writeMetrics(file, 'a 1\n');
      expect(readFileSync(file, 'utf8')).to.equal('a 1\n');
      expect(readFileSync(join(folder, 'victim'), 'utf8')).to.equal('kept');
      expect(statSync(file).mode & 0o777).to.equal(0o644);
      rmSync(file);
      mkdirSync(join(file, 'in the way'), { recursive: true });
      expect(() => writeMetrics(file, 'a 1\n')).to.throw();
      expect(readdirSync(folder).sort()).to.deep.equal(['backup.prom', 'victim']);
      expect(() => writeMetrics(join(folder, 'missing/backup.prom'), '')).to.throw(/ENOENT/);
      expect(existsSync(join(folder, 'missing'))).to.equal(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
