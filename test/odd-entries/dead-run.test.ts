import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { UnitsInHand } from '../../core/commands/backup/units-in-hand.ts';
import { run } from '../../core/commands/run.ts';
import { newTimedId } from '../../core/repository/ids.ts';
import { Sandbox } from '../commands/sandbox.ts';

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
    expect(sandbox.log.find(({ code }) => code === 'internal'))
      .to.have.property('affected')
      .that.deep.equals(['site1']);
  });

  it('is forgotten when a run has come to its end', async () => {
    expect(await orderOfRun()).to.deep.equal(['site1', 'site2']);
    expect(UnitsInHand.ofDeadRun(sandbox.stateDirectory)).to.equal(undefined);
    expect(failedRuns()).to.deep.equal([]);
  });

  it('costs nothing where the notes are damaged or a run of one unit is asked for', async () => {
    new UnitsInHand(sandbox.stateDirectory, 'what is this').begin('site1');
    expect(UnitsInHand.ofDeadRun(sandbox.stateDirectory)).to.equal(undefined);
    new UnitsInHand(sandbox.stateDirectory, newTimedId(new Date())).begin('site1');
    expect(await sandbox.back()).to.include({ status: 'ok' });
    expect(UnitsInHand.ofDeadRun(sandbox.stateDirectory)?.units).to.deep.equal(['site1']);
  });
});
