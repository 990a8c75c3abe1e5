import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { measure } from '../../bench/measure.ts';
import { readSettings } from '../../bench/settings.ts';

describe('bench measurements', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bench-measure-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('see the memory of the process itself and of its children, not of the one that measures', async () => {
    const ballast = Buffer.alloc(300 * 2 ** 20, 1);
    const small = await measure([{ program: 'true', args: [] }], folder);
    expect(small.peakBytes).to.be.within(100_000, 50 * 2 ** 20);
    expect(ballast.length).to.be.greaterThan(small.peakBytes);
    const script = 'Buffer.alloc(200 * 2 ** 20, 1)';
    const large = await measure([{ program: 'env', args: ['--', process.execPath, '-e', script] }], folder);
    expect(large.peakBytes).to.be.greaterThan(200 * 2 ** 20);
  });

  it('add times of several commands up and take the largest memory', async () => {
    const hold = (mebibytes: number) => ({ program: process.execPath, args: ['-e', `Buffer.alloc(${mebibytes} * 2 ** 20, 1)`] });
    const [one, two] = [await measure([hold(100)], folder), await measure([hold(100), hold(1)], folder)];
    expect(two.wallSeconds).to.be.greaterThan(0);
    expect(two.peakBytes).to.be.within(one.peakBytes * 0.8, one.peakBytes * 1.2);
  });

  it('fail with what the program said, but for the exit codes that are warnings', async () => {
    const command = { program: 'ls', args: [join(folder, 'nothing-here')] };
    const message = await measure([command], folder).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(message).to.include('ended with 2').and.include('nothing-here');
    await measure([{ ...command, alsoGood: [2] }], folder);
  });
});

describe('bench settings', () => {
  it('have defaults, and refuse what makes no sense', () => {
    expect(readSettings({})).to.include({ sizeName: 'small', rounds: 3, folder: '.bench', isShown: false });
    expect(readSettings({ TOOLS: 'restic,borg' }).tools).to.deep.equal(['restic', 'borg']);
    expect(() => readSettings({ SIZE: 'constructor' })).to.throw('SIZE');
    expect(() => readSettings({ REPEAT: '0' })).to.throw('REPEAT');
  });
});
