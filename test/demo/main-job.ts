/**
 * What `demo.ts` starts: `main-job.ts FOLDER PACKAGES` builds the server in FOLDER, does the main job and exits with 1 when anything
 * differs at its end.
 */
import { join } from 'node:path';
import type { ListResult } from '../../core/commands/schemas/list.ts';
import type { RestoreResult } from '../../core/commands/schemas/restore.ts';
import type { RunResult } from '../../core/commands/schemas/run.ts';
import type { VirtualSite } from '../accounts/virtual-server.ts';
import { type CompareOptions, type Comparison, compareDescriptions, UPPER_LAYER } from '../fidelity/compare-trees.ts';
import { describeTree, saveDescription, savedDescription } from '../fidelity/description.ts';
import { comparisonTable, describeDifferences } from './comparison-table.ts';
import { damageSite } from './damage.ts';
import { buildDemo, type DemoServer } from './demo-server.ts';
import { listLines, restoreLines, runLines } from './results.ts';
import { say, showStep } from './screen.ts';

const SHOWN_DIFFERENCES = 20;

/** The demo on a server that is ready for it. */
class Job {
  readonly #server: DemoServer;
  readonly #references: string;
  #differences = 0;

  constructor(server: DemoServer) {
    this.#server = server;
    this.#references = join(server.folder, 'reference-');
  }

  /** Does the job; returns how many differences are left at its end. */
  async run(): Promise<number> {
    const site = this.#server.sites[1]!;
    await showStep('describe the accounts as they are', () => this.#remember());
    say(runLines(await this.#cpcmd<RunResult>('backup:run')));
    await showStep(`damage ${site.name}: delete, overwrite, replace, change modes, owners and ACLs`, () => damageSite(site));
    say(['what the comparison sees of the damage:', ...comparisonTable(await this.#compareAccounts())]);
    say(listLines(await this.#cpcmd<ListResult>('backup:list', site.name)));

    say(restoreLines(await this.#cpcmd<RestoreResult>('backup:restore', site.name, '[shadow/var/www/html/wp-config.php]')));
    this.#judge('the file', await this.#compare('file', this.#oneFile(), UPPER_LAYER));

    const elsewhere = join(this.#server.folder, 'elsewhere');
    const mail = `shadow/${this.#mail()}`;
    say(restoreLines(await this.#cpcmd<RestoreResult>('backup:restore', site.name, `[${mail}]`, `[to:"${elsewhere}"]`)));
    this.#judge('the folder elsewhere', await this.#compare('mail', join(elsewhere, mail)));

    say(restoreLines(await this.#cpcmd<RestoreResult>('backup:restore', site.name, '[]', '[delete:true]')));
    const comparisons = await showStep('compare every property of every entry', () => this.#compareAccounts());
    say(comparisonTable(comparisons));
    for (const [name, comparison] of comparisons) this.#judge(name, comparison);
    return this.#differences;
  }

  /** Asks the panel; a result that is less than complete counts as a difference. */
  async #cpcmd<Result>(...words: string[]): Promise<Result> {
    const result = await showStep(`cpcmd ${words.join(' ')}`, () => this.#server.cpcmd(...words));
    if ('status' in result && result.status !== 'ok') this.#differences++;
    return result as Result;
  }

  /** Everything about the accounts as it is now, to compare with later. */
  async #remember(): Promise<void> {
    for (const { name, place } of this.#trees()) await saveDescription(place, this.#references + name);
    await saveDescription(this.#oneFile(), `${this.#references}file`);
    await saveDescription(join(this.#server.sites[1]!.shadow, this.#mail()), `${this.#references}mail`);
  }

  #mail(): string {
    return `home/${this.#server.sites[1]!.adminUser}/Mail`;
  }

  #oneFile(): string {
    return join(this.#server.sites[1]!.fst, 'var/www/html/wp-config.php');
  }

  /** What is compared as a whole: the damaged account in all its parts, and its neighbours. */
  #trees(): { name: string; place: string; options?: CompareOptions }[] {
    const [before, damaged, after] = this.#server.sites as [VirtualSite, VirtualSite, VirtualSite];
    return [
      { name: `${damaged.name} fst`, place: damaged.fst },
      { name: `${damaged.name} shadow`, place: damaged.shadow, options: UPPER_LAYER },
      { name: `${damaged.name} info`, place: damaged.info },
      { name: `${before.name} fst`, place: before.fst },
      { name: `${after.name} fst`, place: after.fst },
    ];
  }

  #compare(reference: string, place: string, options?: CompareOptions): Promise<Comparison> {
    return compareDescriptions(savedDescription(this.#references + reference), describeTree(place), options);
  }

  async #compareAccounts(): Promise<Map<string, Comparison>> {
    const comparisons = new Map<string, Comparison>();
    for (const { name, place, options } of this.#trees()) comparisons.set(name, await this.#compare(name, place, options));
    return comparisons;
  }

  #judge(what: string, comparison: Comparison): void {
    const { length } = comparison.differences;
    this.#differences += length;
    const verdict = length === 0 ? 'identical' : `${length} DIFFERENCES`;
    say([`${what}: ${comparison.entries} entries, ${verdict}`, ...describeDifferences(comparison, SHOWN_DIFFERENCES)]);
  }
}

const [folder, packages] = process.argv.slice(2) as [string, string];
try {
  const server = await showStep('make three accounts of WordPress, mail and git on mounted overlays', () => buildDemo(folder, packages));
  const differences = await new Job(server).run();
  say([differences === 0 ? 'VERDICT: everything came back exactly as it was.' : `VERDICT: ${differences} differences.`]);
  process.exitCode = differences === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
