import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { noteVerified, readVerified } from '../../core/verify/verified-units.ts';

describe('what is remembered of verifications', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'verified-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const note = (day: number, isDamaged: boolean, isWhole: boolean) =>
    noteVerified(folder, 'site1-00000001', { time: `2026-11-0${day}T00:00:00.000Z`, isDamaged, isWhole });
  const last = () => readVerified(folder).get('site1-00000001');

  it('is damage until a verification of everything finds none: the next sample may have missed it', () => {
    note(1, true, false);
    note(2, false, false);
    expect(last()).to.deep.equal({ time: '2026-11-02T00:00:00.000Z', status: 'damaged' });
    note(3, false, true);
    expect(last()?.status).to.equal('ok');
  });

  it('is nothing where it is lost or damaged, and makes no folder', () => {
    note(1, false, true);
    writeFileSync(join(folder, 'verified.json'), '{"site1-00000001":{"time":"never","status":"ok"}');
    expect(last()).to.equal(undefined);
    rmSync(folder, { recursive: true });
    note(2, false, true);
    expect(last()).to.equal(undefined);
  });
});
