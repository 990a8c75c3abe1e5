import { once } from 'node:events';
import fs, { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WORK_FOR_SUPERVISOR } from '../core/jobs/messages.ts';

const STDIN = 0;

/** Nobody has its identity: what is encrypted in a rehearsal this server reads. */
const RECIPIENT = 'age1gp9atefz0le0urrxdep29pths7xz6ahxa4we6qvwsamtv92uesyqtfl7m5';

/** Usual commands on a server with one small account. They may fail, as they do for others than root: then less is compiled. */
export class Rehearsal {
  readonly #start: () => void;
  readonly #folder = mkdtempSync(join(tmpdir(), 'rehearsal-'));
  readonly #settingsFile = join(this.#folder, 'config.json');

  /** `start` starts the program in this process; it takes its arguments from `process.argv`. */
  constructor(start: () => void) {
    this.#start = start;
    // Each start of the program listens to signals.
    process.setMaxListeners(0);
  }

  async perform(): Promise<void> {
    try {
      const page = this.#makeServer();
      const target = (name: string) => ['--to', join(this.#folder, name)];
      await this.#command('init');
      await this.#backup('full');
      await this.#backup('incremental');
      appendFileSync(page, 'more');
      await this.#backup('incremental');
      await this.#backup('differential');
      await this.#command('run', 'site1');
      for (const args of [['list'], ['list', 'site1'], ['ls', 'site1'], ['verify', 'site1'], ['prune', '--yes']])
        await this.#command(...args);
      await this.#command('restore', 'site1', 'shadow/page', ...target('one'));
      await this.#command('--json', 'restore', 'site1', ...target('all'));
      await this.#command('keys', '--server-can-read', '--recipient', RECIPIENT);
      await this.#backup('full');
      appendFileSync(page, 'again');
      await this.#backup('incremental');
      await this.#command('restore', 'site1', 'shadow/page', ...target('sealed'));
    } finally {
      rmSync(this.#folder, { recursive: true });
    }
  }

  /** Returns the path of a file in the account. */
  #makeServer(): string {
    const shadow = join(this.#folder, 'accounts/site1/shadow');
    for (const name of ['folder', '../info/current']) mkdirSync(join(shadow, name), { recursive: true });
    mkdirSync(join(this.#folder, 'system'));
    for (const name of ['page', 'folder/one', 'folder/two']) writeFileSync(join(shadow, name), name.repeat(1000));
    writeFileSync(join(shadow, '../info/current/siteinfo'), '[siteinfo]\ndomain = example.test\nadmin_user = owner1\n');
    const places = { repository: 'repository', stateDirectory: 'state', accountsRoot: 'accounts', systemRoot: 'system' };
    const paths = Object.entries(places).map(([name, place]) => [name, join(this.#folder, place)]);
    writeFileSync(this.#settingsFile, JSON.stringify(Object.fromEntries(paths)), { mode: 0o600 });
    return join(shadow, 'page');
  }

  #command(...args: string[]): Promise<void> {
    return this.#perform(['--config', this.#settingsFile, ...args]);
  }

  /** What the second process of a backup does, in this one. */
  async #backup(level: string): Promise<void> {
    const request = { units: ['site1', 'system'], level };
    const job = { supervisor: process.ppid, request, settingsFile: this.#settingsFile, earlier: null, debug: false };
    const { readFileSync } = fs;
    fs.readFileSync = ((file: unknown, ...rest: unknown[]) =>
      file === STDIN ? JSON.stringify(job) : (readFileSync as (...args: unknown[]) => unknown)(file, ...rest)) as never;
    await this.#perform([WORK_FOR_SUPERVISOR]);
    fs.readFileSync = readFileSync;
  }

  /** Until nothing is left to do, which is the only sign of the program's end. */
  async #perform(args: readonly string[]): Promise<void> {
    process.argv.splice(2, process.argv.length, ...args);
    this.#start();
    // What needed no event to be done would end this process.
    setImmediate(() => {});
    await once(process, 'beforeExit');
    process.exitCode = 0;
  }
}
