import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { find } from '../../core/commands/find.ts';
import { list } from '../../core/commands/list.ts';
import { prune } from '../../core/commands/prune.ts';
import { repair } from '../../core/commands/repair.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { status } from '../../core/commands/status.ts';
import { verify } from '../../core/commands/verify.ts';
import { asFailure } from '../../core/failure.ts';
import { Sandbox } from '../commands/sandbox.ts';

/** What can stand where an object or a folder was. */
const ODD: Record<string, (place: string) => void> = {
  'a folder': (place) => mkdirSync(place),
  'a file': (place) => writeFileSync(place, 'x'),
  'a link to nowhere': (place) => symlinkSync('/nowhere/at/all', place),
  'a link to itself': (place) => symlinkSync(place, place),
  'a FIFO': (place) => void execFileSync('mkfifo', [place]),
};
const PLACES = ['', 'unit.json', 'snapshots', 'snapshots/*', 'manifests', 'manifests/*', 'packs', 'packs/*'];
const ALL = process.env.SLOW === '1';

describe('something odd in the place of an object of one account', function () {
  this.timeout(ALL ? 3_600_000 : 120_000);
  let sandbox: Sandbox;
  const sound = () => join(sandbox.folder, 'sound');
  const copy = (from: string, to: string): void => {
    rmSync(to, { recursive: true, force: true });
    execFileSync('cp', ['-a', '--reflink=auto', from, to]);
  };

  before(async () => {
    sandbox = new Sandbox();
    sandbox.set('limits', { workers: 1 });
    writeFileSync(join(sandbox.addAccount('site2'), 'shadow/other'), 'of another account');
    writeFileSync(join(sandbox.shadow, 'file'), 'one');
    await sandbox.init();
    await run({ units: ['site1', 'site2'], level: 'full' }, sandbox.context);
    mkdirSync(sound());
    for (const each of ['repository', 'state']) copy(join(sandbox.folder, each), join(sound(), each));
  });
  after(() => sandbox.remove());

  /** What each verb does for the other account. */
  const VERBS: Record<string, () => Promise<unknown>> = {
    list: async () => expect((await list({}, sandbox.context)).snapshots.map(({ unit }) => unit)).to.include('site2'),
    find: async () => expect((await find({ unit: 'site2', pattern: 'other' }, sandbox.context)).found).to.have.length.greaterThan(0),
    status: async () => expect((await status({}, sandbox.context)).units.find(({ unit }) => unit === 'site2')?.snapshot).to.be.a('string'),
    verify: async () => {
      const { damages, units } = await verify({}, sandbox.context);
      expect(units).to.include('site2');
      expect(damages.filter(({ object }) => object.includes('/site2-'))).to.deep.equal([]);
    },
    restore: () => restore({ unit: 'site2', to: join(sandbox.folder, `out-${Math.random()}`) }, sandbox.context),
    'repair --dry-run': () => repair({ dryRun: true }, sandbox.context),
    prune: async () => {
      const { units } = await prune({ yes: true, acceptMissing: true }, sandbox.context);
      expect(units.find(({ unit }) => unit === 'site2')?.status).to.equal('ok');
    },
    run: async () => {
      const { units } = await run({ units: ['site1', 'site2'] }, sandbox.context);
      expect(units.find(({ unit }) => unit === 'site2')).to.include({ error: null });
    },
  };

  it('keeps no verb from the other accounts', async () => {
    const wrong: string[] = [];
    let turn = 0;
    for (const place of PLACES) {
      for (const [what, make] of Object.entries(ODD)) {
        if (!ALL && turn++ % 6 !== 0) continue;
        for (const each of ['repository', 'state']) copy(join(sound(), each), join(sandbox.folder, each));
        const [unit] = globSync(join(sandbox.repository, 'servers/*/units/site1-*')) as [string];
        const [target] = globSync(join(unit, place)) as [string];
        rmSync(target, { recursive: true });
        make(target);
        for (const [verb, act] of Object.entries(VERBS)) {
          await act().catch((error) =>
            wrong.push(`${what} for ${place || 'the unit'}: ${verb}: ${asFailure(error).code} ${error.message}`),
          );
        }
      }
    }
    expect(wrong.join('\n')).to.equal('');
  });
});
