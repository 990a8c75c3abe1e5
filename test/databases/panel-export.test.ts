import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { SnapshotRecord } from '../../core/repository/record.ts';
import type { DoctorResult } from '../../core/schemas/doctor.ts';
import type { NightlyResult } from '../../core/schemas/nightly.ts';
import { answerOf, TestServer } from '../end-to-end/test-server.ts';

/** What stands in for the panel's PHP: notes how it was called, exports into the account's home, and answers for the Scope. */
const PHP = `#!/bin/sh
here=$(dirname "$0")/../..
grep CapEff /proc/self/status >>"$here/called"
echo "$*" >>"$here/called"
case "$*" in
*backup_dbs.php) . "$here/export" ;;
*automatic-database-exports) cat "$here/scope" ;;
esac
`;

describe('the panel’s own export of databases', function () {
  this.timeout(60_000);
  let site: TestServer;
  const root = () => join(site.folder, 'root');
  const home = () => join(root(), 'usr/local/apnscp');
  const behave = (script: string, scope = 'false') => {
    writeFileSync(join(root(), 'export'), script);
    writeFileSync(join(root(), 'scope'), scope);
  };
  const ask = async <Result>(args: readonly string[]) => answerOf<Result>(await site.start(args));
  const newestRecord = () => {
    const name = site
      .objects('.json')
      .filter((each) => each.includes('/snapshots/'))
      .sort()
      .at(-1) as string;
    return JSON.parse(readFileSync(join(site.repository, name), 'utf8')) as SnapshotRecord;
  };

  before(async () => {
    site = new TestServer();
    mkdirSync(join(site.shadow, 'home/owner1/mysql_backups'), { recursive: true });
    mkdirSync(join(home(), 'bin/scripts'), { recursive: true });
    mkdirSync(join(root(), 'usr/bin'), { recursive: true });
    writeFileSync(join(home(), 'bin/scripts/backup_dbs.php'), '');
    writeFileSync(join(root(), 'usr/bin/apnscp_php'), PHP, { mode: 0o755 });
    site.set({ databases: { method: 'panel' } });
    await site.init();
  });
  after(() => site.remove());

  it('runs once before the files, with all rights, and is recorded', async () => {
    behave(`date >${site.shadow}/home/owner1/mysql_backups/export.sql`);
    const { result, exitCode } = await site.run();
    expect(exitCode).to.equal(0);
    expect(result.databaseExport).to.include({ result: 'ok', exitCode: 0, automatic: false, error: null });
    expect(newestRecord().exporters).to.deep.equal([result.databaseExport]);
    const [capabilities, script, , scope] = readFileSync(join(root(), 'called'), 'utf8').trim().split('\n');
    expect(script).to.equal(join(home(), 'bin/scripts/backup_dbs.php'));
    expect(scope).to.equal(`${join(home(), 'bin/cmd')} -o json scope:get backups.automatic-database-exports`);
    expect(capabilities?.split(/\s+/)[1]).to.equal(readFileSync('/proc/self/status', 'utf8').match(/CapEff:\s*(\w+)/)?.[1]);
    const folder = await site.restoreAside('shadow/home/owner1/mysql_backups/export.sql');
    expect(existsSync(join(folder, 'shadow/home/owner1/mysql_backups/export.sql'))).to.equal(true);
  });

  it('makes the run partial when it fails, with what it said, and the files are backed up all the same', async () => {
    behave('echo "no more room" >&2; exit 3');
    writeFileSync(join(site.shadow, 'new'), 'new');
    const { result } = await site.run();
    expect(result.status).to.equal('partial');
    expect(result.databaseExport?.error).to.include({ code: 'database_export_failed' });
    expect(result.databaseExport).to.include({ exitCode: 3, said: 'no more room', result: 'failed' });
    expect(newestRecord().exporters).to.deep.equal([result.databaseExport]);
    expect(result.databaseExport?.error?.message).to.include('exit code 3').and.to.include('no more room');
    expect(result.units[0]).to.include({ status: 'ok' });
    const { stdout } = await site.start(['run', 'site1']);
    expect(JSON.parse(stdout)).to.include({ status: 'partial' });
  });

  it('has what it said kept when it succeeds, and is not waited for by what it leaves behind', async () => {
    const left = join(site.folder, 'left');
    behave(
      `echo "one_wp: skipped" >&2; yes "much to say" | head -c 200000; { for i in $(seq 200); do [ -e ${left} ] && break; sleep 0.1; done; } & exit 0`,
    );
    const { result } = await site.run();
    writeFileSync(left, '');
    expect(result.databaseExport).to.include({ result: 'ok', said: 'one_wp: skipped', error: null });
  });

  it('fails where the panel is not', async () => {
    behave('exit 0');
    site.set({ systemRoot: join(site.folder, 'elsewhere') });
    mkdirSync(join(site.folder, 'elsewhere'));
    const { result } = await site.run();
    expect(result.status).to.equal('partial');
    expect(result.databaseExport?.error?.message).to.include('/usr/local/apnscp/bin/scripts/backup_dbs.php');
    expect(result.databaseExport).to.include({ exitCode: null, said: null });
    site.set({ systemRoot: root() });
    behave('yes words | head -c 200000 >&2; kill -KILL $$');
    const killed = (await site.run()).result.databaseExport;
    expect(killed).to.include({ exitCode: null, result: 'failed' });
    expect(killed?.said?.length).to.be.within(1000, 5000);
    expect(killed?.error?.message).to.include('SIGKILL');
  });

  it('warns when the panel exports every night besides', async () => {
    behave('exit 0', 'true');
    const { stderr } = await site.start(['run', 'site1']);
    expect(stderr).to.include('backups.automatic-database-exports false');
    const { checks } = JSON.parse((await site.start(['doctor'])).stdout) as DoctorResult;
    expect(checks.find(({ check, result }) => check === 'databases' && result === 'warning')?.advice).to.include('scope:set');
    behave('exit 0');
    const again = JSON.parse((await site.start(['doctor'])).stdout) as DoctorResult;
    expect(again.checks.filter(({ check, result }) => check === 'databases' && result !== 'ok')).to.deep.equal([]);
  });

  it('runs before an automatic backup too, when one is due, with all rights', async () => {
    behave('exit 4');
    rmSync(join(root(), 'called'));
    const { result } = await ask<NightlyResult>(['nightly', '--now']);
    expect(result.steps[0], JSON.stringify(result)).to.include({ step: 'run', status: 'partial' });
    const [capabilities, script, ...rest] = readFileSync(join(root(), 'called'), 'utf8').trim().split('\n');
    expect([script, rest]).to.deep.equal([join(home(), 'bin/scripts/backup_dbs.php'), []]);
    expect(capabilities?.split(/\s+/)[1]).to.equal(readFileSync('/proc/self/status', 'utf8').match(/CapEff:\s*(\w+)/)?.[1]);
    rmSync(join(root(), 'called'));
    expect((await ask<NightlyResult>(['nightly'])).result).to.include({ due: false });
    expect(existsSync(join(root(), 'called'))).to.equal(false);
  });
});
