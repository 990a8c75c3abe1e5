import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { forget } from '../../../core/commands/forget.ts';
import { list } from '../../../core/commands/list.ts';
import { restore } from '../../../core/commands/restore.ts';
import { run } from '../../../core/commands/run.ts';
import type { RunResult, UnitOutcome } from '../../../core/schemas/run.ts';
import { mountLoopFileSystem } from '../../accounts/loop-file-system.ts';
import { Sandbox } from '../../commands/sandbox.ts';
import { failureOf } from '../../failure-of.ts';

describe('what was backed up before and is not there any more', () => {
  let sandbox: Sandbox;
  let away: string;

  beforeEach(async () => {
    sandbox = new Sandbox();
    away = join(sandbox.folder, 'away');
    mkdirSync(away);
    mkdirSync(join(sandbox.shadow, 'home'));
    writeFileSync(join(sandbox.shadow, 'home/file'), 'content');
    await sandbox.init();
  });

  afterEach(async () => {
    await execa('umount', ['-q', sandbox.shadow], { reject: false });
    await sandbox.remove();
  });

  const all = (): Promise<RunResult> => run({ level: 'incremental' }, sandbox.context);
  const site = ({ units }: RunResult): UnitOutcome => units.find(({ unit }) => unit === 'site1') as UnitOutcome;
  const newest = async () => (await list({}, sandbox.context)).snapshots.filter(({ unit }) => unit === 'site1').at(-1)?.id;

  const LOSSES: Record<string, () => void> = {
    'its folder': () => renameSync(sandbox.site, join(away, 'site1')),
    'the whole folder of the accounts': () => {
      renameSync(join(sandbox.folder, 'virtual'), join(away, 'virtual'));
      mkdirSync(join(sandbox.folder, 'virtual'));
    },
    shadow: () => renameSync(sandbox.shadow, join(away, 'shadow')),
    info: () => renameSync(join(sandbox.site, 'info'), join(away, 'info')),
    'shadow, with an empty directory in its place': () => {
      renameSync(sandbox.shadow, join(away, 'shadow'));
      mkdirSync(sandbox.shadow);
    },
    'shadow, with a link in its place that others can turn': () => {
      renameSync(sandbox.shadow, join(away, 'shadow'));
      chownSync(away, 12_345, 12_345);
      symlinkSync(join(away, 'shadow'), sandbox.shadow);
    },
    'shadow, with a link in its place that leads nowhere': () => {
      rmSync(sandbox.shadow, { recursive: true });
      symlinkSync(join(away, 'nothing'), sandbox.shadow);
    },
    'its folder, with a link in its place that is not root’s to follow': () => {
      renameSync(sandbox.site, join(away, 'site1'));
      chownSync(away, 12_345, 12_345);
      symlinkSync(join(away, 'site1'), sandbox.site);
    },
  };

  for (const [what, lose] of Object.entries(LOSSES)) {
    it(`${what}: the account fails, nothing counts as deleted, until somebody says that it is gone`, async () => {
      await all();
      const before = await newest();
      lose();
      const result = await all();
      expect(result.status).to.equal('partial');
      expect(site(result)).to.include({ status: 'failed' });
      expect(site(result).error).to.include({ code: 'root_missing' });
      expect(site(result).error?.advice).to.contain('forget site1');
      expect(site(await run({ units: ['site1'] }, sandbox.context)).error).to.include({ code: 'root_missing' });
      expect(await newest()).to.equal(before);

      await forget({ unit: 'site1' }, sandbox.context);
      const after = await all();
      expect(after.units.flatMap(({ error }) => error?.code ?? [])).to.deep.equal([]);
      await restore({ unit: 'site1', at: before as string, to: join(sandbox.folder, 'out') }, sandbox.context);
      expect(readFileSync(join(sandbox.folder, 'out/shadow/home/file'), 'utf8')).to.equal('content');
    });
  }

  it('goes on when it is there again, and is missed again the next time', async () => {
    await all();
    renameSync(sandbox.site, join(away, 'site1'));
    await forget({ unit: 'site1' }, sandbox.context);
    expect((await all()).status).to.equal('ok');
    renameSync(join(away, 'site1'), sandbox.site);
    expect(site(await all())).to.include({ status: 'unchanged' });
    renameSync(sandbox.site, join(away, 'site1'));
    expect(site(await all()).error).to.include({ code: 'root_missing' });
  });

  it('is nothing to forget while all is there, nor for what was never backed up', async () => {
    await all();
    expect(await failureOf(() => forget({ unit: 'site1' }, sandbox.context))).to.include({ code: 'usage' });
    expect(await failureOf(() => forget({ unit: 'site9' }, sandbox.context))).to.include({ code: 'unit_unknown' });
    expect(await failureOf(() => run({ units: ['site9'] }, sandbox.context))).to.include({ code: 'unit_unknown' });
  });

  it('is not what the account itself deleted', async () => {
    await all();
    rmSync(join(sandbox.shadow, 'home'), { recursive: true });
    expect(readdirSync(sandbox.shadow)).to.deep.equal([]);
    expect(site(await all())).to.include({ status: 'ok', deleted: 1 });
  });

  it('a disk that is not mounted, whatever lies below its place', async () => {
    renameSync(sandbox.shadow, join(away, 'shadow'));
    await mountLoopFileSystem(sandbox.shadow, 50);
    writeFileSync(join(sandbox.shadow, 'file'), 'on a disk of its own');
    await all();
    execFileSync('umount', [sandbox.shadow]);
    writeFileSync(join(sandbox.shadow, 'left'), 'below the place of the disk');
    const result = await all();
    expect(site(result).error).to.include({ code: 'root_missing' });
    expect(site(result).error?.message).to.contain('the file system of shadow is not mounted');
  });

  describe('of the server itself', () => {
    const system = ({ units }: RunResult): UnitOutcome => units.find(({ unit }) => unit === 'system') as UnitOutcome;
    const at = (path: string): string => join(sandbox.folder, path);

    beforeEach(async () => {
      for (const folder of ['etc/virtualhosting', 'root', 'var/lib/pgsql/15/backups']) mkdirSync(at(folder), { recursive: true });
      for (const file of ['etc/virtualhosting/mappings', 'root/apnscp-vars.yml', 'var/lib/pgsql/15/backups/dump']) {
        writeFileSync(at(file), 'content');
      }
      await all();
    });

    for (const level of ['incremental', 'full'] as const) {
      it(`a location: it is told, once, and only the backups before have it (${level})`, async () => {
        const before = (await list({ unit: 'system' }, sandbox.context)).snapshots.at(-1)?.id as string;
        rmSync(at('etc/virtualhosting'), { recursive: true });
        rmSync(at('root/apnscp-vars.yml'));
        const result = await run({ level }, sandbox.context);
        expect(system(result)).to.include({ status: 'partial' });
        expect(system(result).warnings.map(({ code, path }) => [code, path])).to.deep.equal([
          ['root_vanished', 'etc/virtualhosting'],
          ['root_vanished', 'root/apnscp-vars.yml'],
        ]);
        expect(system(await all())).to.include({ status: 'unchanged' });
        await restore({ unit: 'system', at: before, to: at('out') }, sandbox.context);
        expect(readFileSync(at('out/etc/virtualhosting/mappings'), 'utf8')).to.equal('content');
      });
    }

    it('the exports of an older database server are no loss', async () => {
      renameSync(at('var/lib/pgsql/15'), at('var/lib/pgsql/16'));
      expect(system(await all())).to.include({ status: 'ok', warningCount: 0 });
    });

    it('a location that is another, empty directory fails, as what is not mounted does, until somebody says that it is gone', async () => {
      renameSync(at('etc/virtualhosting'), at('away/virtualhosting'));
      mkdirSync(at('etc/virtualhosting'));
      expect(system(await all()).error).to.include({ code: 'root_missing' });
      await forget({ unit: 'system' }, sandbox.context);
      expect(system(await all())).to.include({ status: 'ok' });
    });
  });

  describe('but is elsewhere, where root put a link', () => {
    it('shadow, under another name: it is followed and said, nothing is read again', async () => {
      await all();
      renameSync(sandbox.shadow, join(away, 'shadow1'));
      symlinkSync(join(away, 'shadow1'), sandbox.shadow);
      const moved = site(await all());
      expect(moved).to.include({ status: 'partial', deleted: 0, bytesRead: 0 });
      expect(moved.warnings.map(({ code }) => code)).to.deep.equal(['root_moved']);
      expect(sandbox.log.map(({ code }) => code)).to.include('link_followed');
      writeFileSync(join(away, 'shadow1/home/file'), 'changed');
      expect(site(await all())).to.include({ status: 'ok', deleted: 0 });
      writeFileSync(join(away, 'shadow1/home/file'), 'spoilt');
      writeFileSync(join(away, 'shadow1/home/more'), 'x');
      expect(await restore({ unit: 'site1', delete: true }, sandbox.context)).to.include({ status: 'ok', deleted: 1 });
      expect(readFileSync(join(away, 'shadow1/home/file'), 'utf8')).to.equal('changed');
      await restore({ unit: 'site1', to: join(sandbox.folder, 'out') }, sandbox.context);
      expect(readFileSync(join(sandbox.folder, 'out/shadow/home/file'), 'utf8')).to.equal('changed');
    });

    it('the whole account, by a relative link over another link', async () => {
      await all();
      renameSync(sandbox.site, join(away, 'site1'));
      symlinkSync('away', join(sandbox.folder, 'disk'));
      symlinkSync(`${sandbox.folder}/disk/site1`, sandbox.site);
      expect(site(await all())).to.include({ status: 'unchanged', deleted: 0 });
    });
  });
});
