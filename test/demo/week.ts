import type { DiffResult } from '../../core/schemas/diff.ts';
import type { HistoryResult } from '../../core/schemas/history.ts';
import type { ListResult } from '../../core/schemas/list.ts';
import type { PlanResult } from '../../core/schemas/plan.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import type { VirtualSite } from '../accounts/virtual-server.ts';
import { UPPER_LAYER } from '../fidelity/compare-trees.ts';
import type { Proceedings } from './proceedings.ts';
import { diffLines, historyLines, listLines, planLines, restoreLines, runLines } from './results.ts';
import { say, showStep } from './screen.ts';
import { WEEK } from './week-days.ts';

const WANTED_DAY = 'Wednesday';

/**
 * A week of one account. Each day is a real backup of what really happened since the one before; only the hours between
 * them are left out, so days have names here and the times are those of the clock.
 */
export class Week {
  readonly #proceedings: Proceedings;
  readonly #site: VirtualSite;
  /** The names of days by the snapshots taken then. */
  readonly #days = new Map<string, string>();
  #wantedMoment = '';

  constructor(proceedings: Proceedings, site: VirtualSite) {
    this.#proceedings = proceedings;
    this.#site = site;
  }

  async run(): Promise<void> {
    const { name } = this.#site;
    say([`A week of ${name}, without the hours between its days:`]);
    for (const day of WEEK) {
      say([`${day.name}: ${day.what}`]);
      await day.live(this.#site);
      await this.#backUp(day.name, day.level);
      if (day.name === WANTED_DAY) await this.#rememberMoment();
    }
    say(listLines(await this.#proceedings.cpcmd<ListResult>('backup:list', name), this.#days));
    await this.#lookBack();
    await this.#goBack();
    say(['Saturday: what came back is content that the repository holds already']);
    await this.#backUp('Saturday', 'incremental');
  }

  async #backUp(day: string, level: string): Promise<void> {
    const result = await this.#proceedings.cpcmd<RunResult>('backup:run', this.#site.name, level);
    say(runLines(result));
    const snapshot = result.units[0]?.snapshot;
    if (snapshot) this.#days.set(snapshot, day);
  }

  /** The moment is later than this day's backup and earlier than anything that the next day does. */
  async #rememberMoment(): Promise<void> {
    this.#wantedMoment = new Date().toISOString().replace('T', ' ').replace('Z', ' UTC');
    await showStep(`describe ${this.#site.name} as it is on ${WANTED_DAY}, ${this.#wantedMoment}`, async () => {
      await this.#proceedings.remember('week fst', this.#site.fst);
      await this.#proceedings.remember('week shadow', this.#site.shadow);
    });
  }

  async #lookBack(): Promise<void> {
    const { name } = this.#site;
    const folder = 'shadow/var/www/html';
    say(historyLines(await this.#proceedings.cpcmd<HistoryResult>('backup:history', name, `${folder}/index.php`), this.#days));
    const differences = await this.#proceedings.cpcmd<DiffResult>(
      'backup:diff',
      name,
      this.#wantedMoment,
      'latest',
      folder,
      '[limit:10000]',
    );
    say(diffLines(differences));
  }

  async #goBack(): Promise<void> {
    const { name, fst, shadow } = this.#site;
    const words = [name, 'all', `[at:"${this.#wantedMoment}",overwrite:changed,delete:true]`];
    say(planLines(await this.#proceedings.cpcmd<PlanResult>('backup:plan', ...words), this.#days));
    say(restoreLines(await this.#proceedings.cpcmd<RestoreResult>('backup:restore', ...words)));
    const comparisons = await showStep(`compare every property of every entry with ${WANTED_DAY}`, async () => [
      await this.#proceedings.compare('week fst', fst),
      await this.#proceedings.compare('week shadow', shadow, UPPER_LAYER),
    ]);
    for (const [index, part] of ['fst', 'shadow'].entries()) this.#proceedings.judge(`${name} ${part}`, comparisons[index]!);
  }
}
