import { randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SettingsFile } from '../../core/config/settings.ts';
import type { MethodName } from '../../core/schemas/messages.ts';
import { Server } from '../faults/server.ts';
import { type Tree, treeOf } from './tree.ts';

export const UNIT = 'site1';

/** Where nothing waits for a disk: which of it would survive says the model, not the machine. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** In bytes: what most of a pack consists of, so that it is compacted once that is gone. */
const LARGE = 20_000;

/**
 * A server with one small account. Templates of its repository and state are copied for each attempt; what the account was like when each
 * snapshot was made is known.
 */
export class SmallWorld {
  readonly folder = mkdtempSync(join(MEMORY, 'crashes-'));
  readonly accounts = join(this.folder, 'virtual');
  readonly template = Server.make(join(this.folder, 'template'), this.accounts);
  /** By the id of each snapshot that the template has. */
  readonly states = new Map<string, Tree>();
  settings: Partial<SettingsFile> = { limits: { workers: 1, nice: 0, wait: 0 } };
  /** Settings that name places of a server's own. */
  placesOf: (server: Server) => Partial<SettingsFile> = () => ({});
  #servers = 0;

  constructor() {
    this.write('info/current/siteinfo', `[siteinfo]\ndomain = ${UNIT}.test\nadmin_user = owner\n`);
    this.write('shadow/www/page', randomBytes(3000));
    this.write('shadow/www/deep/er/still', 'content');
    this.write('shadow/www/goes', 'soon');
    linkSync(this.path('shadow/www/page'), this.path('shadow/www/second name'));
    symlinkSync('page', this.path('shadow/www/link'));
    for (const name of ['a', 'b', 'c', 'd']) this.write(`shadow/mail/${name}`, randomBytes(LARGE));
  }

  /** What the account has that it had not: `round` counts the changes. */
  change(round: number): void {
    this.write('shadow/www/page', randomBytes(2000 + round));
    this.write(`shadow/www/new-${round}`, `content of round ${round}`);
    for (const name of ['a', 'b', 'c']) this.write(`shadow/mail/${name}`, randomBytes(LARGE + round));
    rmSync(this.path('shadow/www/goes'), { force: true });
    utimesSync(this.path('shadow/www/deep/er/still'), round, round);
  }

  /** Deletes the account, and makes one of the same name. */
  makeAnew(): void {
    const info = readFileSync(this.path('info/current/siteinfo'));
    rmSync(this.path('.'), { recursive: true });
    this.write('info/current/siteinfo', info);
    this.write('shadow/www/page', 'of an account that was made anew');
  }

  path(name: string): string {
    return join(this.accounts, UNIT, name);
  }

  write(name: string, bytes: Uint8Array | string): void {
    mkdirSync(join(this.path(name), '..'), { recursive: true });
    writeFileSync(this.path(name), bytes);
  }

  /** The name of the folder that the template's state has for its repository. */
  get repositoryId(): string {
    return readdirSync(join(this.template.state, 'repositories'))[0] as string;
  }

  /** The account as it is now. */
  now(): Tree {
    return treeOf(join(this.accounts, UNIT));
  }

  /** Carries out a command on the template, which must go well. */
  async prepare(method: MethodName, request: Readonly<Record<string, unknown>>): Promise<void> {
    this.template.set({ ...this.settings, ...this.placesOf(this.template) });
    const { exitCode, error, result } = await this.template.command(method, request);
    if (exitCode !== 0) throw new Error(`${method} ended with ${exitCode}: ${JSON.stringify(error ?? result)}`);
    this.know(this.template);
  }

  /** Notes that the backups of a server which are new to it hold the account as it is now. */
  know(server: Server): void {
    for (const { id } of server.records()) if (!this.states.has(id)) this.states.set(id, this.now());
  }

  /** A server whose repository and state are those of the template. */
  copy(): Server {
    const folder = join(this.folder, `server-${++this.#servers}`);
    cpSync(this.template.folder, folder, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    const server = Server.make(folder, this.accounts);
    server.set({ ...this.settings, ...this.placesOf(server) });
    return server;
  }

  /** Gives a server the template's state, where it has none. */
  copyState({ state }: Server): void {
    cpSync(this.template.state, state, { recursive: true, preserveTimestamps: true });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
