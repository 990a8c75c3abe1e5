import { join } from 'node:path';
import type { ListResult } from '../../core/schemas/list.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import type { VirtualSite } from '../accounts/virtual-server.ts';
import { type CompareOptions, type Comparison, UPPER_LAYER } from '../fidelity/compare-trees.ts';
import { comparisonTable } from './comparison-table.ts';
import { damageSite } from './damage.ts';
import type { Proceedings } from './proceedings.ts';
import { listLines, restoreLines, runLines } from './results.ts';
import { say, showStep } from './screen.ts';

/** A whole server is backed up, one account damaged and restored: a file, a folder elsewhere, all of it in place. */
export class MainJob {
  readonly #proceedings: Proceedings;

  constructor(proceedings: Proceedings) {
    this.#proceedings = proceedings;
  }

  async run(): Promise<void> {
    const { server } = this.#proceedings;
    const site = server.sites[1]!;
    await showStep('describe the accounts as they are', () => this.#remember());
    say(runLines(await this.#proceedings.cpcmd<RunResult>('backup:run', 'all')));
    await showStep(`damage ${site.name}: delete, overwrite, replace, change modes, owners and ACLs`, () => damageSite(site));
    say(['what the comparison sees of the damage:', ...comparisonTable(await this.#compareAccounts())]);
    say(listLines(await this.#proceedings.cpcmd<ListResult>('backup:list', site.name)));

    await this.#restore(site.name, '[shadow/var/www/html/wp-config.php]');
    this.#proceedings.judge('the file', await this.#proceedings.compare('file', this.#oneFile(), UPPER_LAYER));

    const elsewhere = join(server.folder, 'elsewhere');
    const mail = `shadow/${this.#mail()}`;
    await this.#restore(site.name, `[${mail}]`, `[to:"${elsewhere}"]`);
    this.#proceedings.judge('the folder elsewhere', await this.#proceedings.compare('mail', join(elsewhere, mail)));

    await this.#restore(site.name, 'all', '[delete:true]');
    const comparisons = await showStep('compare every property of every entry', () => this.#compareAccounts());
    say(comparisonTable(comparisons));
    for (const [name, comparison] of comparisons) this.#proceedings.judge(name, comparison);
  }

  async #restore(...words: string[]): Promise<void> {
    say(restoreLines(await this.#proceedings.cpcmd<RestoreResult>('backup:restore', ...words)));
  }

  async #remember(): Promise<void> {
    for (const { name, place } of this.#trees()) await this.#proceedings.remember(name, place);
    await this.#proceedings.remember('file', this.#oneFile());
    await this.#proceedings.remember('mail', join(this.#proceedings.server.sites[1]!.shadow, this.#mail()));
  }

  #mail(): string {
    return `home/${this.#proceedings.server.sites[1]!.adminUser}/Mail`;
  }

  #oneFile(): string {
    return join(this.#proceedings.server.sites[1]!.fst, 'var/www/html/wp-config.php');
  }

  /** What is compared as a whole: the damaged account in all its parts, and its neighbours. */
  #trees(): { name: string; place: string; options?: CompareOptions }[] {
    const [before, damaged, after] = this.#proceedings.server.sites as [VirtualSite, VirtualSite, VirtualSite];
    return [
      { name: `${damaged.name} fst`, place: damaged.fst },
      { name: `${damaged.name} shadow`, place: damaged.shadow, options: UPPER_LAYER },
      { name: `${damaged.name} info`, place: damaged.info },
      { name: `${before.name} fst`, place: before.fst },
      { name: `${after.name} fst`, place: after.fst },
    ];
  }

  async #compareAccounts(): Promise<Map<string, Comparison>> {
    const comparisons = new Map<string, Comparison>();
    for (const { name, place, options } of this.#trees()) comparisons.set(name, await this.#proceedings.compare(name, place, options));
    return comparisons;
  }
}
