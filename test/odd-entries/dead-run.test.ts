import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { recordDeadRun } from '../../core/backup/run/dead-run.ts';
import { UnitsInHand } from '../../core/backup/run/units-in-hand.ts';
import { run } from '../../core/commands/run.ts';
import { Failure } from '../../core/failure.ts';
import { newTimedId } from '../../core/repository/ids.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { Sandbox } from '../commands/sandbox.ts';

const NAMES = ['site1', 'site2', 'system'];

describe('a unit that ended the whole program', function () {
  this.timeout(60_000);
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    sandbox.addAccount('site2');
    await sandbox.init();
  });

  afterEach(() => sandbox.remove());

  /** The units that have a new snapshot, in the order in which they were begun. */
  async function orderOfRun(): Promise<string[]> {
    const { units } = await run({}, sandbox.context);
    const begun = units.filter(({ unit }) => unit !== 'system').map(({ unit, snapshot }) => [snapshot, unit] as [string, string]);
    return begun.sort().map(([, unit]) => unit);
  }

  async function statusOfRun(): Promise<string> {
    return (await run({}, sandbox.context)).status;
  }

  function failedRuns(): { id: string; units: { name: string }[] }[] {
    const files = globSync(join(sandbox.repository, 'servers/*/runs/*.json'));
    return files.map((file) => JSON.parse(readFileSync(file, 'utf8'))).filter(({ status }) => status === 'failed');
  }

  it('comes after all others in the next run, and the run that died has a record that says so', async () => {
    const id = newTimedId(new Date(Date.now() - 60_000));
    const notes = new UnitsInHand(sandbox.stateDirectory, id);
    notes.begin('site2');
    notes.begin('site1');
    notes.end('site2');

    expect(await orderOfRun()).to.deep.equal(['site2', 'site1']);
    expect(failedRuns().map((record) => [record.id, record.units.map(({ name }) => name)])).to.deep.equal([[id, ['site1']]]);
    expect(sandbox.log.find(({ code }) => code === 'unit_crashed'))
      .to.have.property('affected')
      .that.deep.equals(['site1']);
  });

  it('is forgotten when a run has come to its end', async () => {
    expect(await orderOfRun()).to.deep.equal(['site1', 'site2']);
    expect(UnitsInHand.ofDeadRun(sandbox.stateDirectory, NAMES)).to.equal(undefined);
    expect(failedRuns()).to.deep.equal([]);
  });

  it('costs nothing where the notes are damaged or a run of one unit is asked for', async () => {
    new UnitsInHand(sandbox.stateDirectory, 'what is this').begin('site1');
    expect(UnitsInHand.ofDeadRun(sandbox.stateDirectory, NAMES)).to.equal(undefined);
    new UnitsInHand(sandbox.stateDirectory, newTimedId(new Date())).begin('site1');
    expect(await sandbox.back()).to.include({ status: 'ok' });
    expect(UnitsInHand.ofDeadRun(sandbox.stateDirectory, NAMES)?.units).to.deep.equal(['site1']);
  });

  for (const [what, text] of [
    ['a name that was cut', 'run 20261120T010101001Z-0123abcd\nbegin site2\nbegin '],
    ['a name that is none', 'run 20261120T010101001Z-0123abcd\nbegin site2\nbegin s\u0001te1\n'],
    ['a day that the calendar does not have', 'run 99999999T999999999Z-0123abcd\nbegin site2\n'],
  ] as const) {
    it(`keeps no run from its work, nor the next one: ${what}`, async () => {
      writeFileSync(join(sandbox.stateDirectory, 'run-in-hand'), text);
      expect(await statusOfRun()).to.equal('ok');
      expect(failedRuns().flatMap(({ units }) => units.map(({ name }) => name))).to.deep.equal(what.startsWith('a name') ? ['site2'] : []);
      expect(await statusOfRun()).to.equal('ok');
    });
  }

  it('is told, and nothing else, where the record of the run that died cannot be written', async () => {
    const full = (): never => {
      throw new Failure('disk_full', 'no room');
    };
    const repository = await openRepository(sandbox.context.settings, 'read', () => {});
    repository.runs.commit = full;
    const id = newTimedId(new Date());
    await recordDeadRun({ id, units: ['site1'] }, repository, sandbox.context);
    expect(sandbox.log.map(({ code }) => code)).to.deep.equal(['unit_crashed', 'disk_full']);
  });
});
