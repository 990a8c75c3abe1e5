import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { globSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { adopt } from '../../core/commands/adopt.ts';
import { hold } from '../../core/commands/hold.ts';
import { keys } from '../../core/commands/keys.ts';
import { prune } from '../../core/commands/prune.ts';
import { run } from '../../core/commands/run.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { Sandbox } from '../commands/sandbox.ts';

const DAY = 24 * 3_600_000;

/** A server whose repository has at least one object of each kind, and of most kinds two. `reset` undoes whatever happened to it. */
export class FullServer extends Sandbox {
  /** The snapshots of the account, oldest first: one that the next prune deletes, a full, and two incrementals on that. */
  readonly ids: string[] = [];
  /** Of each snapshot the account as it was. */
  readonly expected = new Map<string, string>();
  /** The server's folder. */
  server = '';

  async fill(isEncrypted: boolean): Promise<void> {
    const passphraseFile = join(this.folder, 'passphrase');
    writeFileSync(passphraseFile, 'correct horse\n', { mode: 0o600 });
    const { recipient } = await newIdentity();
    await this.init(isEncrypted ? { recipients: [recipient], passphraseFile, serverCanRead: true } : {});
    if (!isEncrypted) {
      // A plain server has key records, and a locked identity, when it was another before.
      await keys({ recipients: [recipient], passphraseFile }, this.context);
      await keys({ plain: true }, this.context);
    } else await keys({ recipients: [(await newIdentity()).recipient] }, this.context);
    this.set('recovery', { percent: 10 });
    this.set('retention', { levels: { full: '70 days', differential: '70 days', incremental: '70 days' } });
    this.set('limits', { workers: 1 });
    this.#writeAccounts();
    const begin = Date.now();
    for (const days of [160, 100]) {
      this.now = () => new Date(begin - days * DAY);
      await this.#backUp('full', days === 100);
    }
    this.now = () => new Date(begin - 40 * DAY);
    await prune({ yes: true }, this.context);
    this.now = () => new Date();
    writeFileSync(join(this.shadow, 'a'), randomBytes(40_000));
    [this.server] = globSync(join(this.repository, 'servers/*')) as [string];
    for (const _ of [1, 2]) await adopt({ server: this.server.slice(-16), yes: true }, this.context);
    await this.#backUp('full', true);
    for (const number of [1, 2]) {
      writeFileSync(join(this.shadow, `folder/new-${number}`), randomBytes(60_000));
      writeFileSync(join(this.shadow, 'b'), randomBytes(30_000));
      await this.#backUp('incremental', true);
    }
    for (const snapshot of this.ids.slice(1, 3)) await hold({ unit: 'site1', snapshot, reason: 'kept' }, this.context);
    await this.#addNotes();
    const sound = join(this.folder, 'sound');
    mkdirSync(sound);
    this.#copy(this.repository, join(sound, 'repository'));
    this.#copy(this.stateDirectory, join(sound, 'state'));
  }

  reset(): void {
    this.#copy(join(this.folder, 'sound/repository'), this.repository);
    this.#copy(join(this.folder, 'sound/state'), this.stateDirectory);
    this.log.length = 0;
  }

  /** An object below the server's folder as it was before anything happened to it. */
  original(object: string): Buffer {
    return readFileSync(join(this.folder, 'sound', relative(this.folder, this.server), object));
  }

  #copy(from: string, to: string): void {
    rmSync(to, { recursive: true, force: true });
    execFileSync('cp', ['-a', '--reflink=auto', from, to]);
  }

  #writeAccounts(): void {
    const other = this.addAccount('site2');
    writeFileSync(join(other, 'shadow/other'), 'of another account');
    mkdirSync(join(this.shadow, 'folder/deep'), { recursive: true });
    for (const name of ['a', 'b', 'folder/c', 'folder/deep/d', 'folder/deep/e']) {
      writeFileSync(join(this.shadow, name), randomBytes(40_000));
    }
    writeFileSync(join(this.shadow, 'large'), randomBytes(1_500_000));
    linkSync(join(this.shadow, 'a'), join(this.shadow, 'folder/linked'));
    symlinkSync('a', join(this.shadow, 'pointer'));
  }

  async #backUp(level: 'full' | 'incremental', isKept: boolean): Promise<void> {
    const { units } = await run({ units: level === 'full' ? ['site1', 'site2'] : ['site1'], level }, this.context);
    const id = units.find(({ unit }) => unit === 'site1')?.snapshot as string;
    if (!isKept) return;
    this.ids.push(id);
    const then = join(this.folder, `expected-${this.ids.length}`);
    this.#copy(this.site, then);
    this.expected.set(id, then);
  }

  async #addNotes(): Promise<void> {
    const { settings, reporter } = this.context;
    const { units } = await openRepository(settings, 'write', (notice) => reporter.log(notice));
    const [unit] = (await units.ids()).filter((id) => id.startsWith('site1-')) as [string];
    for (const incarnation of ['1-1', '2-2']) await units.addNote({ unit, kind: 'continued', incarnation, reason: 'moved' });
  }
}
