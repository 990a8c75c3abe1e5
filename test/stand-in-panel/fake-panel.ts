import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { copyPhp, installPanel, type Panel } from './install.ts';

export interface Outcome {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the scripted core noted of one start. */
export interface Note {
  readonly request: { method: string; params: Record<string, unknown> };
  readonly arguments: string[];
  readonly environment: Record<string, string>;
  readonly directory: string;
  readonly user: number;
  readonly process: number;
  readonly fileSizeLimit: string;
}

export type Step = Readonly<Record<string, unknown>>;

const SITES = [
  { name: 'site1', domain: 'one.example', user: 'alice', invoice: 'INV-1' },
  { name: 'site2', domain: 'two.example', user: 'bob', invoice: 'INV-7' },
  { name: 'site3', domain: 'three.example', user: 'carol', invoice: 'INV-7' },
];

/** What another add-on left in boot.php before ours. */
const OTHER_ADD_ON = `<?php
apnscpFunctionInterceptor::register('Probe_Module', '@custom/probe_module.php');
a23r::registerModule('probe', 'Probe_Module');
`;

async function call(program: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  const { exitCode, stdout, stderr } = await execa(program, words, { reject: false, stdin: 'ignore', env });
  return { exitCode, stdout, stderr };
}

/** A panel with three sites, and in place of the core a program that answers as it is told. */
export class FakePanel {
  readonly folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-panel-'));
  readonly accounts = join(this.folder, 'virtual');
  readonly core = join(this.folder, 'core');
  readonly settingsFile = join(this.folder, 'settings.json');
  readonly panel: Panel;
  readonly #log = join(this.folder, 'requests');
  /** Where `php` is looked for first; else the system's is used. */
  php: string | undefined;

  constructor(config: Readonly<Record<string, Readonly<Record<string, string>>>> = {}) {
    chmodSync(this.folder, 0o755);
    for (const { name, domain, user, invoice } of SITES) {
      const site = join(this.accounts, name);
      mkdirSync(join(site, 'info/current'), { recursive: true });
      mkdirSync(join(site, 'shadow'));
      mkdirSync(join(site, 'fst/home', user), { recursive: true });
      writeFileSync(join(site, 'info/current/siteinfo'), `[siteinfo]\ndomain = ${domain}\nadmin_user = ${user}\n`);
      writeFileSync(join(site, 'info/current/billing'), `[billing]\ninvoice = ${invoice}\n`);
      symlinkSync(name, join(this.accounts, domain));
    }
    copyFileSync(join(import.meta.dirname, 'fixtures/fake-core'), this.core);
    const home = join(this.folder, 'panel');
    const custom = join(home, 'config/custom');
    mkdirSync(custom, { recursive: true });
    copyPhp(join(import.meta.dirname, 'fixtures/probe_module.phps'), join(custom, 'probe_module.php'));
    writeFileSync(join(custom, 'boot.php'), OTHER_ADD_ON);
    this.panel = installPanel({
      home,
      accountsRoot: this.accounts,
      core: this.core,
      settingsFile: this.settingsFile,
      config,
    });
    this.answer({});
  }

  /** Says what the core does for each method, and forgets what was asked so far. */
  answer(answers: Readonly<Record<string, readonly Step[]>>): void {
    writeFileSync(this.settingsFile, JSON.stringify({ log: this.#log, answers }));
    writeFileSync(this.#log, '');
    // The front end asks without privileges and is noted too.
    chmodSync(this.#log, 0o666);
  }

  /** Every start of the core since `answer`. */
  get notes(): Note[] {
    if (!existsSync(this.#log)) return [];
    const lines = readFileSync(this.#log, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  /** Of the panel's processes. */
  get environment(): NodeJS.ProcessEnv {
    return this.php === undefined ? process.env : { ...process.env, PATH: `${this.php}:${process.env.PATH}` };
  }

  cpcmd(...words: string[]): Promise<Outcome> {
    return call(this.panel.cpcmd, words, this.environment);
  }

  frontend(...words: string[]): Promise<Outcome> {
    return call(this.panel.frontendCall, words, this.environment);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
