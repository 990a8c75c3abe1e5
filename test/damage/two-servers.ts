import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { globSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { hold } from '../../core/commands/hold.ts';
import { run } from '../../core/commands/run.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import { Sandbox } from '../commands/sandbox.ts';

/** A snapshot, with the account as it was and the objects that its restore needs, by their names in the repository. */
export interface Taken {
  readonly server: 0 | 1;
  readonly unit: string;
  readonly id: string;
  readonly original: string;
  readonly needs: ReadonlySet<string>;
}

interface StoredRecord {
  readonly parent: { readonly id: string } | null;
  readonly base: { readonly id: string } | null;
  readonly level: string;
  readonly manifest: { readonly path: string };
  readonly packs: readonly { readonly path: string }[];
}

/** Two servers in one repository: accounts site1 and site2, with chains, on the first; site3 on the second. `reset` undoes whatever happened. */
export class TwoServers extends Sandbox {
  readonly taken: Taken[] = [];
  #servers: string[] = [];

  async fill(isEncrypted: boolean): Promise<void> {
    this.set('recovery', { percent: 10 });
    this.set('limits', { workers: 1 });
    for (const name of ['site1', 'site2', 'site3']) this.#write(this.addAccount(name));
    const { recipient } = await newIdentity();
    for (const server of [0, 1] as const) {
      this.use(server);
      await this.init({ newServer: server === 1, ...(isEncrypted ? { recipients: [recipient], serverCanRead: true } : {}) });
      const known = new Set(this.#servers);
      this.#servers.push(globSync(join(this.repository, 'servers/*')).find((each) => !known.has(each)) as string);
    }
    for (const level of ['full', 'incremental', 'differential', 'full', 'incremental', 'incremental'] as const) {
      await this.#take(0, 'site1', level);
    }
    for (const level of ['full', 'incremental'] as const) {
      await this.#take(0, 'site2', level);
      await this.#take(1, 'site3', level);
    }
    this.use(0);
    await hold({ unit: 'site1', snapshot: this.taken[0]!.id, reason: 'kept' }, this.context);
    mkdirSync(join(this.folder, 'sound'));
    for (const each of ['repository', 'states', 'virtual']) this.#copy(join(this.folder, each), join(this.folder, 'sound', each));
  }

  /** The commands run on this server from now on. */
  use(server: 0 | 1): void {
    this.set('stateDirectory', join(this.folder, 'states', String(server)));
  }

  reset(): void {
    for (const each of ['repository', 'states', 'virtual']) this.#copy(join(this.folder, 'sound', each), join(this.folder, each));
    this.log.length = 0;
  }

  accountOf(unit: string): string {
    return join(this.folder, 'virtual', unit);
  }

  /** The names of all objects, as they were. */
  allObjects(): string[] {
    const sound = join(this.folder, 'sound/repository');
    return globSync('**/*', { cwd: sound, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(sound, join(entry.parentPath, entry.name)))
      .sort();
  }

  /** An object as it was. */
  original(name: string): Buffer {
    return readFileSync(join(this.folder, 'sound/repository', name));
  }

  /** Backs up all accounts of a server. */
  async backUpAll(server: 0 | 1): Promise<RunResult> {
    this.use(server);
    const units = server === 0 ? ['site1', 'site2'] : ['site3'];
    for (const unit of units) writeFileSync(join(this.accountOf(unit), 'shadow/later'), randomBytes(2000));
    return run({ units }, this.context);
  }

  #write(site: string): void {
    mkdirSync(join(site, 'shadow/folder/deep'), { recursive: true });
    for (const name of ['a', 'b', 'folder/c', 'folder/deep/d']) writeFileSync(join(site, 'shadow', name), randomBytes(20_000));
    writeFileSync(join(site, 'shadow/large'), randomBytes(400_000));
    linkSync(join(site, 'shadow/a'), join(site, 'shadow/folder/linked'));
    symlinkSync('a', join(site, 'shadow/pointer'));
  }

  async #take(server: 0 | 1, unit: string, level: 'full' | 'incremental' | 'differential'): Promise<void> {
    this.use(server);
    writeFileSync(join(this.accountOf(unit), 'shadow/b'), randomBytes(15_000));
    writeFileSync(join(this.accountOf(unit), `shadow/folder/new-${this.taken.length}`), randomBytes(10_000));
    const { units } = await run({ units: [unit], level }, this.context);
    const id = units[0]?.snapshot as string;
    const original = join(this.folder, `expected-${this.taken.length}`);
    this.#copy(this.accountOf(unit), original);
    const folder = this.#servers[server] as string;
    const [file] = globSync(join(folder, `units/${unit}-*/snapshots/${id}.json`)) as [string];
    const { parent, base, manifest, packs, level: taken } = JSON.parse(readFileSync(file, 'utf8')) as StoredRecord;
    const below = taken === 'full' ? null : taken === 'incremental' ? parent : base;
    const needs = new Set(this.taken.find((each) => each.id === below?.id)?.needs);
    for (const object of [file, ...[manifest, ...packs].map(({ path }) => join(folder, path))])
      needs.add(relative(this.repository, object));
    this.taken.push({ server, unit, id, original, needs });
  }

  #copy(from: string, to: string): void {
    rmSync(to, { recursive: true, force: true });
    execFileSync('cp', ['-a', '--reflink=auto', from, to]);
  }
}
