import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { newIdentity } from '../../core/crypto/identity.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import type { VirtualSite } from '../accounts/virtual-server.ts';
import type { Proceedings } from './proceedings.ts';
import { restoreLines, runLines } from './results.ts';
import { say, showStep } from './screen.ts';

/** A repository of its own that this server can only write: refused without the key, and given back with it. */
export class EncryptedRepository {
  readonly #proceedings: Proceedings;
  readonly #site: VirtualSite;
  readonly #settingsFile: string;

  constructor(proceedings: Proceedings, site: VirtualSite) {
    const { folder } = proceedings.server;
    this.#proceedings = proceedings;
    this.#site = site;
    this.#settingsFile = join(folder, 'encrypted.json');
    const settings = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
    const places = { repository: join(folder, 'encrypted'), stateDirectory: join(folder, 'encrypted-state') };
    writeFileSync(this.#settingsFile, JSON.stringify({ ...settings, ...places }), { mode: 0o600 });
  }

  async run(): Promise<void> {
    const { name, shadow, adminUser } = this.#site;
    // Raw database files are in no backup, so not all of it is compared.
    const mail = `home/${adminUser}/Mail`;
    const identity = await newIdentity();
    await this.#proceedings.remember('encrypted', join(shadow, mail));
    await this.#ask(['init', '--recipient', identity.recipient]);
    say(runLines((await this.#ask(['run', name])) as RunResult));
    const to = join(this.#proceedings.server.folder, 'decrypted');
    const restore = ['restore', name, '--to', to];
    const { error } = (await this.#ask(restore)) as { error?: { code: string; message: string } };
    if (error?.code !== 'identity_missing') throw new Error('a restore without the key was not refused');
    say([`refused: ${error.message}`]);
    say(restoreLines((await this.#ask([...restore, '--identity', '-'], identity.secret)) as RestoreResult));
    this.#proceedings.judge('decrypted', await this.#proceedings.compare('encrypted', join(to, 'shadow', mail)));
  }

  /** Asks the program itself, as on a machine without a panel. */
  async #ask(words: readonly string[], input = ''): Promise<object> {
    const core = join(this.#proceedings.server.folder, 'apiscp-backup');
    const shown = `apiscp-backup ${words.join(' ')}${input === '' ? '' : ' < key'}`;
    const { stdout } = await showStep(shown, () =>
      execa(core, ['--config', this.#settingsFile, '--json', ...words], { input, reject: false }),
    );
    return JSON.parse(stdout);
  }
}
