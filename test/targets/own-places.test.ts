import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { restore } from '../../core/commands/restore.ts';
import { setSetting } from '../../core/commands/settings.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

describe('the program’s own folders in what is backed up', () => {
  let sandbox: Sandbox;
  let bound: string;

  beforeEach(() => {
    sandbox = new Sandbox();
    bound = join(sandbox.folder, 'bound');
    for (const folder of [join(sandbox.shadow, 'home'), bound]) mkdirSync(folder);
    writeFileSync(join(sandbox.shadow, 'home/file'), 'x');
  });

  afterEach(async () => {
    await execa('umount', ['-q', bound], { reject: false });
    await sandbox.remove();
  });

  const set = (name: string, value: string) => setSetting({ name, value }, sandbox.context);

  const PLACES: Record<string, () => string> = {
    'by its path': () => join(sandbox.shadow, 'backups/deep'),
    'over a link': () => {
      symlinkSync(sandbox.shadow, join(sandbox.folder, 'link'));
      return join(sandbox.folder, 'link/backups');
    },
    'over a bind mount of a folder in it': () => {
      mkdirSync(join(sandbox.shadow, 'inner'));
      execFileSync('mount', ['--bind', join(sandbox.shadow, 'inner'), bound]);
      return join(bound, 'backups');
    },
    'over a bind mount above it': () => {
      execFileSync('mount', ['--bind', join(sandbox.folder, 'virtual'), bound]);
      return join(bound, 'site1/shadow/backups');
    },
    'as the very root': () => sandbox.shadow,
  };

  for (const [how, make] of Object.entries(PLACES)) {
    for (const setting of ['repository', 'stateDirectory'] as const) {
      it(`are refused ${how}, when ${setting} is set and at the run`, async () => {
        const place = make();
        expect(await failureOf(() => set(setting, place))).to.include({ code: 'invalid_settings' });
        sandbox.set(setting, place);
        mkdirSync(join(sandbox.folder, 'repository'), { mode: 0o700, recursive: true });
        if (setting === 'repository' && place === sandbox.shadow) return;
        await sandbox.init();
        const failure = await failureOf(() => sandbox.back());
        expect(failure).to.include({ code: 'invalid_settings' });
        expect(failure.message).to.contain('shadow of site1');
      });
    }
  }

  it('are refused where a copy is in an account', async () => {
    const copies = (place: string) => setSetting({ name: 'copies', value: [{ name: 'usb', repository: place }] }, sandbox.context);
    const place = join(sandbox.shadow, 'copies/usb');
    expect(await failureOf(() => copies(place))).to.include({ code: 'invalid_settings' });
    await copies(join(sandbox.folder, 'usb'));
    await sandbox.init();
    sandbox.set('copies', [{ name: 'usb', repository: place }]);
    expect((await failureOf(() => sandbox.back())).message).to.contain(`${place} lies in shadow of site1`);
  });

  it('are refused when the accounts are set to be around them', async () => {
    const virtual = join(sandbox.folder, 'other');
    mkdirSync(join(virtual, 'site1/shadow'), { recursive: true });
    sandbox.set('repository', join(virtual, 'site1/shadow/backups'));
    expect(await failureOf(() => set('accountsRoot', virtual))).to.include({ code: 'invalid_settings' });
  });

  it('are taken beside the accounts, and beside what is backed up of one', async () => {
    await set('repository', join(sandbox.folder, 'virtual/backups'));
    await sandbox.init();
    expect(await sandbox.back()).to.include({ status: 'ok' });
    await set('repository', join(sandbox.site, 'backups'));
  });

  it('are never touched by a restore that deletes', async () => {
    await sandbox.init();
    await sandbox.back();
    const moved = join(sandbox.shadow, 'home/backups');
    renameSync(sandbox.repository, moved);
    sandbox.set('repository', moved);
    for (const to of [undefined, sandbox.folder, join(sandbox.folder, 'virtual')]) {
      const request = { unit: 'site1', delete: true, ...(to === undefined ? {} : { to }) };
      expect(await failureOf(() => restore(request, sandbox.context))).to.include({ code: 'usage' });
    }
    expect(existsSync(join(moved, 'repository.json'))).to.equal(true);
    expect(await restore({ unit: 'site1' }, sandbox.context)).to.include({ status: 'ok' });
  });
});
