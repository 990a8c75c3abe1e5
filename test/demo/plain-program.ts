import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Proceedings } from './proceedings.ts';
import { showStep } from './screen.ts';

/** The program itself on the demo's server, as on a machine without a panel, with settings of its own. */
export class PlainProgram {
  readonly #core: string;
  readonly #settingsFile: string;

  /** `settings` are those of the server with others in their place. */
  constructor({ server }: Proceedings, name: string, settings: object) {
    this.#core = join(server.folder, 'apiscp-backup');
    this.#settingsFile = join(server.folder, `${name}.json`);
    const all = JSON.parse(readFileSync(join(server.folder, 'config.json'), 'utf8')) as object;
    writeFileSync(this.#settingsFile, JSON.stringify({ ...all, ...settings }), { mode: 0o600 });
  }

  async ask<Answer>(words: readonly string[], input = ''): Promise<Answer> {
    const shown = `apiscp-backup ${words.join(' ')}${input === '' ? '' : ' < key'}`;
    const { stdout } = await showStep(shown, () =>
      execa(this.#core, ['--config', this.#settingsFile, '--json', ...words], { input, reject: false }),
    );
    return JSON.parse(stdout) as Answer;
  }
}
