import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { list } from '../../core/commands/list.ts';
import { restore } from '../../core/commands/restore.ts';
import { verify } from '../../core/commands/verify.ts';
import { SigningKey } from '../../core/crypto/ed25519.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { withSignature } from '../../core/repository/signatures/signed-document.ts';
import { Sandbox } from '../commands/sandbox.ts';

/** A sandbox whose repository a thief can write to: what he does to it is undone by `reset`. */
export class StolenRepository extends Sandbox {
  /** What reads the repository, where it is encrypted. */
  given: { identity?: string } = {};
  /** A key that the thief made. */
  readonly thief = SigningKey.generate();

  async begin(isEncrypted: boolean): Promise<void> {
    if (!isEncrypted) return this.init();
    const identity = await newIdentity();
    const file = join(this.folder, 'identity');
    writeFileSync(file, `${identity.secret}\n`, { mode: 0o600 });
    this.given = { identity: file };
    await this.init({ recipients: [identity.recipient] });
  }

  /** The one file of the repository that fits. */
  one(pattern: string): string {
    const found = this.all(pattern);
    if (found.length !== 1) throw new Error(`${found.length} objects ${pattern}`);
    return found[0] as string;
  }

  /** The files of the repository that fit, below the servers, by name. */
  all(pattern: string): string[] {
    return globSync(join(this.repository, 'servers/*', pattern)).sort();
  }

  /** Keeps repository and state as they are now. */
  keep(name: string): void {
    const folder = join(this.folder, `kept-${name}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    this.#copy(this.repository, join(folder, 'repository'));
    this.#copy(this.stateDirectory, join(folder, 'state'));
  }

  /** Puts back what was kept: all of it, or the repository alone. */
  putBack(name: string, what: readonly ('repository' | 'state')[] = ['repository', 'state']): void {
    for (const each of what) this.#copy(join(this.folder, `kept-${name}`, each), each === 'state' ? this.stateDirectory : this.repository);
  }

  #copy(from: string, to: string): void {
    rmSync(to, { recursive: true, force: true });
    execFileSync('cp', ['-a', from, to]);
  }

  write(file: string, bytes: string | Buffer): void {
    rmSync(file, { force: true });
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, bytes);
  }

  /** Stores a document, changed, as the thief can: signed with his own key, or not at all. */
  forge(file: string, changes: object, from: string, isSigned: boolean): void {
    const { signature: _, ...document } = { ...JSON.parse(readFileSync(from, 'utf8')), ...changes } as { signature?: unknown };
    const bytes = Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
    this.write(file, isSigned ? withSignature(bytes, file.slice(file.lastIndexOf('/servers/') + 1), this.thief) : bytes);
  }

  codes(): string[] {
    return this.log.map(({ code }) => code);
  }

  /** What verify says is wrong, by object and code. */
  async damages(quick = true): Promise<string[]> {
    const { damages } = await verify({ quick, ...this.given }, this.context);
    return damages.map(({ object, code }) => `${code} ${object.slice(object.indexOf('/', 'servers/'.length) + 1)}`).sort();
  }

  /** The ids of the snapshots that are listed as usable. */
  async usable(): Promise<string[]> {
    return (await list({ unit: 'site1' }, this.context)).snapshots.map(({ id }) => id);
  }

  async restored(at?: string): Promise<string> {
    const to = join(this.folder, `out-${this.log.length}-${Math.random()}`);
    await restore({ unit: 'site1', to, ...this.given, ...(at === undefined ? {} : { at }) }, this.context);
    return to;
  }

  /** From now on the commands run on another machine, which has a state directory of its own. */
  moveTo(state: string): void {
    this.set('stateDirectory', join(this.folder, state));
  }
}
