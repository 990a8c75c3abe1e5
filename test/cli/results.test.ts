import { expect } from 'chai';
import { renderResult } from '../../core/cli/results.ts';
import type { FleetServer, FleetStatusResult } from '../../core/schemas/fleet.ts';
import type { ListResult } from '../../core/schemas/list.ts';
import type { LockResult } from '../../core/schemas/lock.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RunResult, UnitOutcome } from '../../core/schemas/run.ts';
import type { VerifyResult } from '../../core/schemas/verify.ts';

const outcome: UnitOutcome = {
  unit: 'site1',
  status: 'ok',
  snapshot: '20260101T000000000Z-00000001',
  level: 'full',
  reason: 'the first backup',
  entries: 12345,
  changed: 12345,
  deleted: 0,
  bytesTotal: 2048,
  bytesRead: 2048,
  bytesStored: 1024,
  warnings: [],
  warningCount: 0,
  error: null,
};

describe('a result for people', () => {
  it('of a run names each unit, what went wrong with it, and the outcome', () => {
    const result: RunResult = {
      status: 'partial',
      run: 'r',
      started: 't',
      finished: 't',
      units: [
        { ...outcome, warnings: [{ code: 'vanished', message: 'disappeared', path: 'shadow/\x1b[2J' }], warningCount: 3 },
        {
          ...outcome,
          unit: 'site2',
          status: 'failed',
          snapshot: null,
          level: null,
          error: { code: 'io_error', message: 'broken\x07', affected: [], advice: null, retry: true },
        },
      ],
    };
    const text = renderResult('run', result);
    expect(text).to.match(/^UNIT +RESULT +LEVEL +SNAPSHOT +ENTRIES +CHANGED +READ +STORED\n/);
    expect(text).to.match(/\nsite1 +ok +full +20260101T000000000Z-00000001 +12,345 +12,345 +2.0 KiB +1.0 KiB\n/);
    expect(text).to.contain('  site2: broken\\x07 (io_error)\n');
    expect(text).to.contain('  site1: shadow/\\x1b[2J: disappeared (vanished)\n  and 2 more warnings\n');
    expect(text).to.match(/\nBackup: partial\.\n$/);
  });

  it('of a list has a line each, and says when there is none', () => {
    const summary = {
      id: 'x',
      unit: 'site1',
      unitId: 'site1-00000000',
      current: true,
      domain: 'example.test',
      level: 'full',
      synthetic: true,
      reason: 'there is no full yet',
      time: '2026-01-01T00:00:00Z',
      finished: '2026-01-01T00:00:00Z',
      entries: 1,
      changed: 1,
      deleted: 0,
      bytesTotal: 1,
      bytesStored: 1,
      warningCount: 0,
      restorable: true,
      obstacle: null,
    } as const;
    const result: ListResult = { status: 'ok', unusable: [], snapshots: [summary, { ...summary, id: 'y', synthetic: false }] };
    const broken = { ...summary, restorable: false, obstacle: 'its pack is missing' };
    expect(renderResult('list', { snapshots: [broken] })).to.contain('x cannot be restored: its pack is missing\n');
    const lines = renderResult('list', result).split('\n');
    expect(lines).to.have.length(4);
    expect(lines[1]).to.match(/^site1 +example\.test +x +full \(synthetic\) +2026-01-01T00:00:00Z/);
    expect(renderResult('list', { status: 'ok', snapshots: [], unusable: [] } satisfies ListResult)).to.equal('No snapshots.\n');
  });

  it('of a renewal of locks tells what was asked and extended, when the first lock ends, and what was refused', () => {
    const result: LockResult = {
      ...{ status: 'partial', repository: 's3:https://s3.example.com/b', mode: 'compliance', objects: 1200, asked: 3, extended: 2 },
      soonest: '2026-12-01T00:00:00.000Z',
      problems: [{ code: 'repository_refused', message: 'a: AccessDenied\u001b', affected: [], retry: false, advice: null }],
    };
    const [first, second, last] = renderResult('lock', result).split('\n');
    expect(first).to.match(/^s3:.* \(compliance\): 1,200 objects, 3 asked for, 2 locked for longer\. The first lock ends 2026-12-01/);
    expect(second)
      .to.match(/^ {2}a: AccessDenied/)
      .and.not.to.contain('\u001b');
    expect(last).to.equal('Lock: partial.');
    expect(renderResult('lock', { ...result, soonest: null })).to.contain('ends never');
  });

  it('of a trial restore does not say that anything was done', () => {
    const result: RestoreResult = {
      status: 'ok',
      unit: 'site1',
      unitId: 'site1-00000000',
      current: true,
      moment: { text: 'yesterday', zone: 'UTC', instant: 't', snapshot: 'x', taken: 't', stood: null },
      snapshot: 'x',
      time: 't',
      target: '/home/virtual/site1',
      dryRun: true,
      entries: 5,
      written: 3,
      unchanged: 2,
      skipped: 0,
      deleted: 1,
      failed: 0,
      bytesWritten: 10,
      bytesFetched: 0,
      warnings: [],
      warningCount: 0,
    };
    const text = renderResult('restore', result);
    expect(text)
      .to.match(/\nwould be written +3 \(10 B\)\n/)
      .and.to.match(/\nwould be deleted +1\n/);
    expect(renderResult('restore', { ...result, dryRun: false })).to.match(/\nwritten +3 \(10 B\)\n/);
  });

  it('of a fleet has a line for each server, and what is wrong with it', () => {
    const server: FleetServer = {
      ...{
        server: '0123456789abcdef',
        name: 'one.test\x1b',
        status: 'ok' as const,
        lastRun: '2026-11-20T03:00:00Z',
        units: 1200,
        failed: 0,
      },
      ...{ overdue: 0, incomplete: 0, oldest: '2026-11-19T03:00:00Z', size: 2048, stored: null, verified: null, keys: [], problems: [] },
      ...{ problemCount: 0, error: null },
    };
    const result: FleetStatusResult = {
      ...{ status: 'damaged', time: '2026-11-20T05:00:00Z', repository: '/srv/all' },
      servers: [
        server,
        {
          ...{ ...server, name: 'two.test', status: 'damaged', verified: { oldest: null, damaged: ['site7'] }, problemCount: 3 },
          problems: [{ code: 'damaged', unit: 'site7', message: 'is damaged' }],
        },
        { ...server, name: 'three.test', status: 'failed', error: { code: 'io_error', message: 'cannot be read' } },
      ],
    };
    const text = renderResult('fleetStatus', result);
    expect(text).to.match(/\none\.test\\x1b +ok +2h +26h +1,200 +0 +0 +2\.0 KiB\n/);
    expect(text).to.match(/\ntwo\.test .* DAMAGED\n/);
    expect(text).to.contain('two.test (0123456789abcdef): site7: is damaged (damaged)\ntwo.test (0123456789abcdef): and 2 more\n');
    expect(text).to.contain('three.test (0123456789abcdef): cannot be read (io_error)\n');
    expect(text).to.match(/\nFleet: damaged\. 3 servers, 3,600 units in \/srv\/all; 0 partial, 1 damaged, 1 failed\.\n$/);
  });

  it('of a verification names the damage and what it touches', () => {
    const result: VerifyResult = {
      status: 'damaged',
      units: ['site1'],
      snapshots: 2,
      objects: 4,
      entries: 10,
      bytesRead: 2048,
      damages: [
        {
          code: 'digest_mismatch',
          message: 'altered',
          object: 'packs/p',
          snapshots: ['x', 'y'],
          files: [{ path: 'shadow/a\nb' }],
          fileCount: 9,
        },
      ],
      warnings: [{ code: 'identity_wrong', message: 'z: of what is encrypted only the stored bytes were compared' }],
      warningCount: 2,
    };
    expect(renderResult('verify', result)).to.equal(
      'packs/p: altered (digest_mismatch)\n  snapshots: x, y\n  shadow/a\\x0ab\n  and 8 more files\n' +
        '  z: of what is encrypted only the stored bytes were compared (identity_wrong)\n  and 1 more warnings\n' +
        'Verify: damaged. 2 snapshots, 4 objects, 10 entries, 2.0 KiB read.\n',
    );
  });
});
