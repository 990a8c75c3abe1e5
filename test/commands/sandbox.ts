import { globSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { init } from '../../core/commands/init.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { type SettingName, type Settings, writeSetting } from '../../core/config/settings.ts';
import type { Context } from '../../core/context/context.ts';
import type { Notice } from '../../core/context/notice.ts';
import { openContext } from '../../core/context/open-context.ts';
import type { InitRequest } from '../../core/schemas/init.ts';
import type { RunRequest, UnitOutcome } from '../../core/schemas/run.ts';
import { compareTrees, type Difference } from '../fidelity/compare-trees.ts';

export type Level = NonNullable<RunRequest['level']>;

/** A server of its own in a temporary folder: one account, a repository, and the commands as the program calls them. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-'));
  readonly repository = join(this.folder, 'repository');
  readonly stateDirectory = join(this.folder, 'state');
  readonly site = join(this.folder, 'virtual/site1');
  readonly shadow = join(this.site, 'shadow');
  readonly log: Notice[] = [];
  readonly settingsFile = join(this.folder, 'config.json');
  /** What the commands take for the present time. */
  now = (): Date => new Date();
  #restores = 0;

  constructor() {
    this.addAccount('site1');
    const { repository, stateDirectory } = this;
    const settings = {
      repository,
      stateDirectory,
      accountsRoot: join(this.folder, 'virtual'),
      systemRoot: this.folder,
      limits: { workers: 2 },
    };
    writeFileSync(this.settingsFile, JSON.stringify(settings));
  }

  /** Makes an account; returns its folder. */
  addAccount(name: string): string {
    const site = join(this.folder, 'virtual', name);
    mkdirSync(join(site, 'shadow'), { recursive: true });
    mkdirSync(join(site, 'info/current'), { recursive: true });
    const number = name.slice('site'.length);
    const domain = number === '1' ? 'example.test' : `example${number}.test`;
    writeFileSync(join(site, 'info/current/siteinfo'), `[DEFAULT]\ndomain = ${domain}\nadmin_user = admin${number}\n`);
    return site;
  }

  get context(): Context {
    const reporter = { progress: () => {}, log: (line: Notice) => void this.log.push(line) };
    const context = openContext(this.settingsFile, reporter, new AbortController().signal);
    return { ...context, now: this.now };
  }

  /** Changes a setting of the server. */
  set<Name extends SettingName>(name: Name, value: Settings[Name]): void {
    writeSetting(this.settingsFile, name, value);
  }

  async init(request: InitRequest = {}): Promise<void> {
    await init(request, this.context);
  }

  /** Backs up the account. */
  async back(level: Level = 'auto'): Promise<UnitOutcome> {
    const { units } = await run({ units: ['site1'], level }, this.context);
    return units[0] as UnitOutcome;
  }

  /** Restores a snapshot (the newest, if none is named) to a new folder and compares it with the account as it is now. */
  async differences(at?: string, original: string = this.site): Promise<readonly Difference[]> {
    const to = join(this.folder, `restored-${++this.#restores}`);
    await restore({ unit: 'site1', to, ...(at === undefined ? {} : { at }) }, this.context);
    // The account's own folder is no entry of the snapshot.
    const all = await Promise.all(['shadow', 'info'].map((root) => compareTrees(join(original, root), join(to, root))));
    return all.flat();
  }

  /** The stored objects of the account in one of its folders: `packs`, `manifests`, `snapshots`. */
  objects(folder: string): string[] {
    return globSync(join(this.repository, 'servers/*/units/site1-*', folder, '*')).sort();
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
