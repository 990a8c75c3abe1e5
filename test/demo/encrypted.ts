import { join } from 'node:path';
import { newIdentity } from '../../core/crypto/identity.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import type { VirtualSite } from '../accounts/virtual-server.ts';
import { PlainProgram } from './plain-program.ts';
import type { Proceedings } from './proceedings.ts';
import { restoreLines, runLines } from './results.ts';
import { say } from './screen.ts';

/** A repository of its own that this server can only write: refused without the key, and given back with it. */
export class EncryptedRepository {
  readonly #proceedings: Proceedings;
  readonly #site: VirtualSite;
  readonly #program: PlainProgram;

  constructor(proceedings: Proceedings, site: VirtualSite) {
    const { folder } = proceedings.server;
    this.#proceedings = proceedings;
    this.#site = site;
    const places = { repository: join(folder, 'encrypted'), stateDirectory: join(folder, 'encrypted-state') };
    this.#program = new PlainProgram(proceedings, 'encrypted', places);
  }

  async run(): Promise<void> {
    const { name, shadow, adminUser } = this.#site;
    // Raw database files are in no backup, so not all of it is compared.
    const mail = `home/${adminUser}/Mail`;
    const identity = await newIdentity();
    await this.#proceedings.remember('encrypted', join(shadow, mail));
    await this.#program.ask(['init', '--recipient', identity.recipient]);
    say(runLines(await this.#program.ask<RunResult>(['run', name])));
    const to = join(this.#proceedings.server.folder, 'decrypted');
    const restore = ['restore', name, '--to', to];
    const { error } = await this.#program.ask<{ error?: { code: string; message: string } }>(restore);
    if (error?.code !== 'identity_missing') throw new Error('a restore without the key was not refused');
    say([`refused: ${error.message}`]);
    say(restoreLines(await this.#program.ask<RestoreResult>([...restore, '--identity', '-'], identity.secret)));
    this.#proceedings.judge('decrypted', await this.#proceedings.compare('encrypted', join(to, 'shadow', mail)));
  }
}
