import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import type { Context } from '../../core/context/context.ts';
import type { Notice } from '../../core/context/notice.ts';
import { openContext } from '../../core/context/open-context.ts';
import { readEvents } from '../../core/jobs/record/event-log.ts';
import { recordIds } from '../../core/jobs/record/old-records.ts';
import { recordFolder } from '../../core/jobs/record/places.ts';
import type { JobResult } from '../../core/schemas/jobs.ts';
import { jsonLines, MAIN } from '../program.ts';

/** A server with two accounts and a repository, and the program as it is started there. */
export class JobServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'jobs-'));
  readonly stateDirectory = join(this.folder, 'state');
  readonly settingsFile = join(this.folder, 'config.json');
  readonly log: Notice[] = [];

  constructor() {
    for (const site of ['site1', 'site2']) this.addAccount(site);
    mkdirSync(join(this.folder, 'root'));
    this.limit();
  }

  addAccount(site: string): void {
    mkdirSync(join(this.folder, 'virtual', site, 'shadow/var'), { recursive: true });
    mkdirSync(join(this.folder, 'virtual', site, 'info/current'), { recursive: true });
    writeFileSync(join(this.folder, 'virtual', site, 'info/current/siteinfo'), `[siteinfo]\ndomain = ${site}.test\nadmin_user = ${site}\n`);
    writeFileSync(join(this.folder, 'virtual', site, 'shadow/var/small'), site);
  }

  removeAccount(site: string): void {
    rmSync(join(this.folder, 'virtual', site), { recursive: true });
  }

  /** A run of site1 takes many seconds from now on. */
  makeSlow(): void {
    writeFileSync(join(this.folder, 'virtual/site1/shadow/var/large'), Buffer.alloc(8 * 1024 * 1024, 'large '));
    this.limit({ readRate: '256 KiB/s' });
  }

  limit(limits: object = {}): void {
    const places = { repository: 'repository', stateDirectory: 'state', accountsRoot: 'virtual', systemRoot: 'root' };
    const settings = Object.fromEntries(Object.entries(places).map(([name, place]) => [name, join(this.folder, place)]));
    writeFileSync(this.settingsFile, JSON.stringify({ ...settings, limits: { workers: 2, ...limits } }), { mode: 0o600 });
  }

  get context(): Context {
    const reporter = { progress: () => {}, log: (line: Notice) => void this.log.push(line) };
    return openContext(this.settingsFile, reporter, new AbortController().signal, 'job');
  }

  program(args: readonly string[], input?: string, detached = false) {
    return execa(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, '--config', this.settingsFile, ...args], {
      reject: false,
      stripFinalNewline: false,
      detached,
      ...(input === undefined ? {} : { input }),
    });
  }

  /** What the program answers. */
  async json<Answer>(...args: readonly string[]): Promise<Answer> {
    const { stdout } = await this.program([...args, '--json']);
    return jsonLines(stdout)[0] as Answer;
  }

  async until(job: string, isSo: (view: JobResult) => boolean): Promise<JobResult> {
    for (;;) {
      const { job: look } = await import('../../core/jobs/job-commands.ts');
      const view = await look({ job }, this.context);
      if (isSo(view)) return view;
      await pause(30);
    }
  }

  async untilLogged(job: string, code: string): Promise<void> {
    while (!readEvents(recordFolder(this.stateDirectory, job)).some((event) => event.code === code)) await pause(30);
  }

  /** The id of the first job that comes after one of those that there are. */
  async nextJob(before: string): Promise<string> {
    for (;;) {
      const [newest] = recordIds(this.stateDirectory);
      if (newest !== undefined && newest !== before) return newest;
      await pause(30);
    }
  }

  /** The processes that carry out jobs of this server. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => argumentsOf(pid).some((argument) => argument.startsWith(join(this.stateDirectory, 'jobs/records'))));
  }

  remove(): void {
    for (const pid of this.processes()) process.kill(pid, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
