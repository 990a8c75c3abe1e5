import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { writeNight } from '../../core/timeline/last-night.ts';
import { JobServer } from '../jobs/server.ts';
import { SystemdMachine } from '../jobs/systemd-machine.ts';
import { MAIN, ROOT } from '../program.ts';

const UNITS = join(ROOT, 'packaging/systemd');
const STAMP = '/var/lib/systemd/timers/stamp-apiscp-backup.timer';

/** It boots a machine, which the usual tests do once already. */
const IS_SLOW = process.env.SLOW === '1';

describe('the units of the package under a real systemd', function () {
  this.timeout(120_000);
  let server: JobServer;
  let machine: SystemdMachine;

  before(async function () {
    if (!IS_SLOW) return this.skip();
    server = new JobServer();
    await server.program(['init']);
    for (const unit of readdirSync(UNITS)) cpSync(join(UNITS, unit), join(server.folder, 'units', unit));
    // The services have a /tmp of their own, where nothing of this is.
    cpSync(dirname(MAIN), join(server.folder, 'program'), { recursive: true });
    const settings = readFileSync(server.settingsFile, 'utf8').replaceAll(server.folder, '/srv');
    writeFileSync(join(server.folder, 'inside.json'), settings, { mode: 0o600 });
    const program = `#!/bin/sh\nexec ${process.execPath} /srv/program/${MAIN.slice(dirname(MAIN).length + 1)} --config /srv/inside.json "$@"\n`;
    writeFileSync(join(server.folder, 'start'), program, { mode: 0o755 });
    const booted = await SystemdMachine.boot(server.folder, server.folder);
    if (typeof booted === 'string') {
      console.log(`    not tried: ${booted}`);
      return this.skip();
    }
    machine = booted;
    await machine.run('cp', '/srv/start', '/usr/libexec/apiscp-backup/apiscp-backup');
    await machine.run('sh', '-c', 'cp /srv/units/* /run/packaged/ && systemctl daemon-reload');
  });
  after(async () => {
    await machine?.end();
    server?.remove();
  });

  it('catch up on a night that was missed while the server was off, with all that it needs in their sandbox', async () => {
    const dayBefore = Date.now() - 2 * 86_400_000;
    writeNight(server.stateDirectory, { begun: dayBefore, tried: dayBefore, tries: 1, done: true, steps: [] });
    await machine.run('sh', '-c', `mkdir -p ${dirname(STAMP)} && touch -d @${Math.floor(dayBefore / 1000)} ${STAMP}`);
    // Nobody waits for the random delay here.
    await machine.write('/run/systemd/system/apiscp-backup.timer.d/now.conf', '[Timer]\nRandomizedDelaySec=0\nAccuracySec=1us\n');
    expect((await machine.run('systemctl', 'start', 'apiscp-backup.timer')).stderr).to.equal('');
    for (;;) {
      const { ActiveState, ExecMainExitTimestamp } = await machine.show('apiscp-backup.service', 'ActiveState', 'ExecMainExitTimestamp');
      if (ActiveState !== 'activating' && ExecMainExitTimestamp !== '') break;
      await pause(100);
    }
    const { Result, ExecMainStatus } = await machine.show('apiscp-backup.service', 'Result', 'ExecMainStatus');
    expect([Result, ExecMainStatus]).to.deep.equal(['success', '0']);
    const { snapshots } = await server.json<{ snapshots: object[] }>('list', 'site1');
    expect(snapshots).to.have.length(1);
    const { jobs } = await server.json<{ jobs: { method: string; state: string }[] }>('jobs');
    expect(jobs.map(({ method, state }) => [method, state])).to.deep.equal([['nightly', 'ok']]);
  });

  it('tell of a night that does not come, and do nothing while they are masked', async () => {
    await machine.run('systemctl', 'stop', 'apiscp-backup.timer');
    const before = (await machine.show('apiscp-backup.service', 'ExecMainExitTimestampMonotonic')).ExecMainExitTimestampMonotonic;
    await machine.run('systemctl', 'mask', '--runtime', 'apiscp-backup.service');
    expect((await machine.run('systemctl', 'start', 'apiscp-backup.service')).stderr).to.contain('masked');
    const dayBefore = Date.now() - 3 * 86_400_000;
    writeNight(server.stateDirectory, { begun: dayBefore, tried: dayBefore, tries: 1, done: true, steps: [] });
    mkdirSync(join(server.folder, 'metrics'));
    const inside = JSON.parse(readFileSync(join(server.folder, 'inside.json'), 'utf8'));
    const notify = { mail: false, metrics: '/srv/metrics/backup.prom' };
    writeFileSync(join(server.folder, 'inside.json'), JSON.stringify({ ...inside, notify }));
    expect((await machine.run('systemctl', 'start', 'apiscp-backup-watch.service')).stderr).to.equal('');
    expect(readFileSync(join(server.folder, 'metrics/backup.prom'), 'utf8')).to.contain('apiscp_backup_problems{code="night_missed"} 1');
    expect((await machine.show('apiscp-backup.service', 'ExecMainExitTimestampMonotonic')).ExecMainExitTimestampMonotonic).to.equal(before);
  });
});
