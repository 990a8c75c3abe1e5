import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { NEEDED_CAPABILITIES } from '../../core/linux/process-rights.ts';
import { ROOT } from '../program.ts';

const UNITS = join(ROOT, 'packaging/systemd');
const SERVICE = readFileSync(join(UNITS, 'apiscp-backup.service'), 'utf8');
const EXECUTABLE = '/usr/libexec/apiscp-backup/apiscp-backup';
/** What the file says of its exposure in README.md; systemd rates from 0 (safe) to 10. */
const MOST_EXPOSED = 3.3;

const settingsOf = (name: string) => [...SERVICE.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value as string);

const WATCH = readFileSync(join(UNITS, 'apiscp-backup-watch.service'), 'utf8');

describe('the systemd units', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'units-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are without fault, and as closed as their README says', async () => {
    cpSync(UNITS, folder, { recursive: true });
    const names = readdirSync(folder).map((name) => join(folder, name));
    const services = names.filter((name) => name.endsWith('.service'));
    // The program is not installed here.
    for (const service of services)
      writeFileSync(service, readFileSync(service, 'utf8').replaceAll(`ExecStart=${EXECUTABLE}`, 'ExecStart=/bin/true'));
    const { all, exitCode } = await execa('systemd-analyze', ['verify', ...names], { all: true, reject: false });
    expect(all).to.equal('');
    expect(exitCode).to.equal(0);
    expect(services).to.have.length(2);
    for (const service of services) {
      const { stdout } = await execa('systemd-analyze', ['security', '--offline=true', service]);
      const exposure = Number(/exposure level for apiscp-backup(?:-watch)?.service: ([\d.]+)/.exec(stdout)?.[1]);
      expect(exposure).to.be.at.most(MOST_EXPOSED);
      expect(readFileSync(join(ROOT, 'packaging/README.md'), 'utf8')).to.contain(`\`${exposure.toFixed(1)}\``);
    }
  });

  it('start the verb that decides what is due, catch up, and do not begin all in the same second', () => {
    expect(settingsOf('ExecStart')).to.deep.equal([`${EXECUTABLE} nightly`]);
    const timer = readFileSync(join(UNITS, 'apiscp-backup.timer'), 'utf8');
    expect(timer).to.match(/^Persistent=yes$/m);
    expect(timer).to.match(/^RandomizedDelaySec=/m);
    // One process of a run may die of a full memory; the other one goes on.
    expect(settingsOf('OOMPolicy')).to.deep.equal(['continue']);
  });

  it('let a backup have every capability that it needs, and none that restores alone need', () => {
    const forRestores = new Set(['CHOWN', 'FSETID', 'LINUX_IMMUTABLE', 'MKNOD', 'SETFCAP']);
    const needed = Object.keys(NEEDED_CAPABILITIES).filter((name) => !forRestores.has(name));
    expect(settingsOf('CapabilityBoundingSet')[0]!.split(' ')).to.have.members(needed.map((name) => `CAP_${name}`));
  });

  it('leave a whole night what it needs: capabilities, system calls, folders that can be written', async () => {
    const at = (path: string) => join(folder, path);
    for (const path of ['virtual/site1/shadow', 'virtual/site1/info/current']) mkdirSync(at(path), { recursive: true });
    writeFileSync(at('virtual/site1/shadow/file'), 'content');
    writeFileSync(at('virtual/site1/info/current/siteinfo'), '[DEFAULT]\ndomain = example.test\n');
    await execa('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', at('virtual/site1/shadow')]);
    await execa('chown', ['-R', '12345:12345', at('virtual/site1/shadow')]);
    await execa('chmod', ['700', at('virtual/site1/shadow')]);
    const places = { repository: at('repository'), stateDirectory: at('state'), accountsRoot: at('virtual'), systemRoot: folder };
    writeFileSync(at('config.json'), JSON.stringify(places));
    const program = [process.execPath, join(ROOT, 'core/main.ts'), '--config', at('config.json')];
    await execa(program[0] as string, [...program.slice(1), 'init']);
    const kept = settingsOf('CapabilityBoundingSet')[0]!
      .split(' ')
      .map((name) => name.replace('CAP_', '+').toLowerCase());
    const sandboxed = ['setpriv', '--no-new-privs', '--bounding-set', ['-all', ...kept].join(','), '--inh-caps=-all'];
    const traced = ['strace', '-f', '-qq', '-o', at('trace'), '-e', 'trace=all', '-e', 'signal=none'];
    // What ProtectSystem=full does to the folders that it names, in a mount namespace of its own.
    const closed = 'for f in /usr /boot /etc; do mount --rbind $f $f && mount -o remount,bind,ro $f || exit 9; done; exec "$@"';
    const command = [
      'unshare',
      '-m',
      '--propagation',
      'slave',
      'sh',
      '-c',
      closed,
      'sh',
      ...sandboxed,
      ...traced,
      ...program,
      'nightly',
      '--now',
      '--json',
    ];
    const { stdout, stderr, exitCode } = await execa(command[0] as string, command.slice(1), { reject: false });
    expect(exitCode, stderr + stdout).to.equal(0);
    expect(JSON.parse(stdout).steps.map(({ status }: { status: string }) => status)).to.deep.equal(['ok', 'ok', 'ok']);
    const { stdout: listed } = await execa(program[0] as string, [...program.slice(1), 'ls', 'site1', 'shadow', '--json']);
    expect(listed).to.contain('"file"');
    // The watch has less, and the same filter of calls.
    const ofWatch =
      /^CapabilityBoundingSet=(.*)$/m
        .exec(WATCH)?.[1]
        ?.split(' ')
        .map((name) => name.replace('CAP_', '+').toLowerCase()) ?? [];
    const sandboxedWatch = [...sandboxed.slice(0, 3), ['-all', ...ofWatch].join(','), ...sandboxed.slice(4)];
    const watched = await execa('unshare', [...command.slice(1, 8), ...sandboxedWatch, ...program, 'watch', '--json'], { reject: false });
    expect(JSON.parse(watched.stdout), watched.stderr).to.include({ status: 'ok', told: false });
    expect(/^SystemCallFilter=.*$/gm.exec(WATCH)?.[0]).to.equal(/^SystemCallFilter=.*$/gm.exec(SERVICE)?.[0]);
    const allowed = await allowedCalls();
    const called = new Set([...readFileSync(at('trace'), 'utf8').matchAll(/^\d+ +([a-z_0-9]+)\(/gm)].map(([, name]) => name as string));
    expect(called.size).to.be.greaterThan(20);
    // libuv and glibc go on without these where they are refused (EPERM).
    const optional = new Set(['io_uring_setup', 'io_uring_register', 'io_uring_enter', 'rseq', 'pkey_alloc']);
    expect([...called].filter((name) => !allowed.has(name) && !optional.has(name))).to.deep.equal([]);
  });
});

/** The system calls that the service's filter lets through. */
async function allowedCalls(): Promise<Set<string>> {
  const { stdout } = await execa('systemd-analyze', ['syscall-filter', '--no-pager']);
  const sets = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of stdout.split('\n')) {
    const word = line.trim();
    if (line.startsWith('@')) {
      current = [];
      sets.set(word, current);
    } else if (word !== '' && !word.startsWith('#')) current.push(word);
  }
  const expand = (name: string): string[] => (name.startsWith('@') ? (sets.get(name) ?? []).flatMap(expand) : [name]);
  const allowed = new Set<string>();
  for (const filter of settingsOf('SystemCallFilter')) {
    const isDenied = filter.startsWith('~');
    for (const call of filter.replace('~', '').split(' ').flatMap(expand)) isDenied ? allowed.delete(call) : allowed.add(call);
  }
  return allowed;
}
