import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { childrenOf } from '../processes.ts';

/** Joins control groups of its own first, so that what systemd makes of them is nobody else's. */
const JOIN = `
for place in $(awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/mounts); do
  # Nobody can be in a set without processors.
  case $place in */cpuset) continue;; esac
  mkdir $place/$1 && echo $$ > $place/$1/cgroup.procs || exit 77
done
exec unshare -pfmC --mount-proc --propagation private sh "$2" "$3"
`;

/** systemd in namespaces of its own, with the control groups that this machine has, and nothing to start but what it is asked for. */
const BOOT = `
layout() { mkdir -p /sys/fs/cgroup/$1 && mount -t $2 -o $3 none /sys/fs/cgroup/$1; }
hierarchies=$(awk '$3 == "cgroup" {print $4}' /proc/mounts)
mount --make-rprivate / && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib/systemd || exit 78
if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
  mount -t cgroup2 none /sys/fs/cgroup || exit 79
else
  mount -t tmpfs tmpfs /sys/fs/cgroup && layout unified cgroup2 rw && layout systemd cgroup none,name=systemd || exit 79
  for controller in memory blkio pids; do
    case " $hierarchies " in *[,\\ ]$controller*) layout $controller cgroup $controller || exit 79;; esac
  done
fi
mkdir -p /run/systemd/system /run/packaged
[ -z "$1" ] || { mount -t tmpfs tmpfs /usr/libexec && mkdir /usr/libexec/apiscp-backup && mount --bind "$1" /srv; } || exit 80
for unit in sysinit basic shutdown quiet timers; do printf '[Unit]\\nDefaultDependencies=no\\n' > /run/systemd/system/$unit.target; done
exec env container=other SYSTEMD_UNIT_PATH=/run/systemd/transient:/run/systemd/system:/run/packaged \\
  /lib/systemd/systemd --system --unit=quiet.target --log-target=console --show-status=no
`;

const HOG = `
import glob, sys
for place in ('', '/unified', '/memory'):
    for file in glob.glob('/sys/fs/cgroup%s/system.slice/%s/cgroup.procs' % (place, sys.argv[1])):
        for pid in open(file).read().split():
            if pid != "0": open('/proc/%s/oom_score_adj' % pid, 'w').write('1000')
        open(file, 'w').write('0')
taken = []
while True: taken.append(bytearray(b'x' * 4194304))
`;

const WHY_NOT: Readonly<Record<number, string>> = {
  77: 'control groups cannot be made here',
  78: 'nothing can be mounted here',
  79: 'control groups cannot be mounted here',
  80: 'the folders of the program and of the server cannot be replaced here',
};

/** A real systemd as the first process of a machine in the machine. It has the disk, the network and the users of this one. */
export class SystemdMachine {
  readonly #process: ChildProcess;
  readonly #name: string;
  #inside: readonly string[] = [];

  private constructor(process: ChildProcess, name: string) {
    this.#process = process;
    this.#name = name;
  }

  /**
   * Boots one; `folder` is for its scripts, and `served` what it has as /srv, with an empty /usr/libexec/apiscp-backup besides. Returns why there is
   * none where it cannot be.
   */
  static async boot(folder: string, served = ''): Promise<SystemdMachine | string> {
    if (!existsSync('/lib/systemd/systemd')) return 'systemd is not installed';
    const boot = join(folder, 'boot');
    writeFileSync(boot, BOOT);
    const name = `apiscp-backup-machine-${process.pid}-${Date.now()}`;
    const child = spawn('sh', ['-c', JOIN, 'sh', name, boot, served], { stdio: 'ignore', detached: true });
    const machine = new SystemdMachine(child, name);
    for (;;) {
      if (child.exitCode !== null) {
        machine.#removeGroups();
        return WHY_NOT[child.exitCode] ?? `systemd ended with ${child.exitCode}`;
      }
      const [first] = childrenOf(child.pid);
      machine.#inside = ['-t', String(first), '-m', '-p', '-C'];
      if (first !== undefined && (await machine.run('systemctl', 'start', 'sysinit.target', 'basic.target')).exitCode === 0) return machine;
      await pause(50);
    }
  }

  /** A command as root of that machine. */
  run(...words: readonly string[]) {
    return execa('nsenter', [...this.#inside, ...words], { reject: false, stripFinalNewline: false });
  }

  /** Properties of a unit as systemd has them now. */
  async show(unit: string, ...names: readonly string[]): Promise<Record<string, string>> {
    const { stdout } = await this.run('systemctl', 'show', unit, '-p', names.join());
    return Object.fromEntries(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/=(.*)/s).slice(0, 2)),
    );
  }

  /** Writes a unit, or a part of one, that systemd reads at once. */
  async write(file: string, text: string): Promise<void> {
    await this.run('sh', '-c', 'mkdir -p "$3" && printf %s "$2" > "$1" && systemctl daemon-reload', 'sh', file, text, dirname(file));
  }

  /** Has a process in a unit take all the memory that the unit may have. The kernel ends the others in it first. */
  async takeMemory(unit: string): Promise<void> {
    await this.run('/usr/bin/python3', '-c', HOG, unit).catch(() => {});
  }

  /** How much memory the kernel lets a unit have, in bytes; undefined where it counts none for units. */
  memoryLimit(unit: string): number | undefined {
    const group = join(this.#name, 'system.slice', unit);
    const files = ['/sys/fs/cgroup/memory/GROUP/memory.limit_in_bytes', '/sys/fs/cgroup/GROUP/memory.max'];
    const file = files.map((file) => file.replace('GROUP', group)).find((file) => existsSync(file));
    return file === undefined ? undefined : Number(readFileSync(file, 'utf8'));
  }

  async end(): Promise<void> {
    for (const pid of this.#process.exitCode === null ? childrenOf(this.#process.pid) : []) process.kill(pid, 'SIGKILL');
    while (this.#process.exitCode === null && this.#process.signalCode === null) await pause(20);
    this.#removeGroups();
  }

  #removeGroups(): void {
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
    const places = mounts.flatMap((line) => (/^\S+ (\S+) cgroup2? /.exec(line)?.[1] as string) ?? []);
    for (const place of places) removeGroup(join(place, this.#name));
  }
}

/** With all that are in it. */
function removeGroup(group: string): void {
  if (!existsSync(group)) return;
  for (const entry of readdirSync(group, { withFileTypes: true })) if (entry.isDirectory()) removeGroup(join(group, entry.name));
  rmdirSync(group);
}
