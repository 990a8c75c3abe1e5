import { databasesOf } from '../../config/databases.ts';
import type { Settings } from '../../config/settings.ts';
import type { Context } from '../../context/context.ts';
import type { DatabaseExport } from '../../context/database-export.ts';
import type { Databases } from '../../databases/databases.ts';
import { ENGINE_NAMES } from '../../databases/engine.ts';
import { toWirePath } from '../../manifest/wire-path.ts';
import { type RawDatabases, RawFolders } from '../../panel/raw-databases.ts';
import type { PanelUnit } from '../../panel/unit.ts';
import type { RecordedDatabase, RecordedRawDatabases } from '../../repository/record.ts';

/** So long the folders are not asked for again, in milliseconds: a run comes to many accounts a minute. */
const FRESH = 60_000;

/** Where the servers have their live files, as long as one run takes. */
export class LiveFiles {
  readonly #settings: Settings;
  readonly #databases: Databases;
  #folders: Promise<RawFolders> | undefined;
  #since = 0;

  constructor(settings: Settings, databases: Databases) {
    this.#settings = settings;
    this.#databases = databases;
  }

  /** The live files that a unit has; they are left out. Throws `raw_database_refused` when a root of it holds nothing else. */
  async in(unit: PanelUnit): Promise<RawDatabases[]> {
    if (this.#folders === undefined || performance.now() - this.#since > FRESH) {
      this.#since = performance.now();
      this.#folders = this.#find();
    }
    return (await this.#folders).in(unit);
  }

  async #find(): Promise<RawFolders> {
    // Where nothing is dumped nobody gave a login.
    const isAsked = databasesOf(this.#settings).method === 'stream';
    return new RawFolders(this.#settings, isAsked ? await this.#databases.dataFolders() : []);
  }
}

/** The unit without its live files; those under another name than the usual are a warning. */
export function withoutLiveFiles(unit: PanelUnit, found: readonly RawDatabases[], { context }: { readonly context: Context }): PanelUnit {
  const unusual = found.filter(({ isUsual }) => !isUsual).map(({ path }) => path);
  if (unusual.length === 0) return unit;
  const affected = unusual.map((path) => toWirePath(path).path);
  const message = `${unit.name}: live database files lie in ${affected.join(', ')}, and are left out: copies of them cannot be restored`;
  context.reporter.log({ level: 'warning', code: 'raw_database_refused', message, affected });
  return { ...unit, excluded: [...unit.excluded, ...unusual] };
}

/** What stands for the live files that were left out; says so where nothing does. */
export function replacementsOf(
  unit: Pick<PanelUnit, 'name'>,
  found: readonly RawDatabases[],
  dumped: readonly Pick<RecordedDatabase, 'engine'>[],
  { context, exporters }: { readonly context: Context; readonly exporters: readonly DatabaseExport[] },
): RecordedRawDatabases[] {
  const { method } = databasesOf(context.settings);
  return found.map(({ engine, path }) => {
    const replacedBy = replacementOf(engine, method, dumped, exporters);
    const shown = toWirePath(path).path;
    if (replacedBy === null) {
      const name = ENGINE_NAMES[engine];
      const message = `${unit.name}: live database files of ${name} in ${shown} are left out, and no database of ${name} is backed up in their place`;
      // Who has said that none is wanted knows it.
      context.reporter.log({ level: method === 'none' ? 'info' : 'warning', code: 'raw_database_refused', message, affected: [shown] });
    }
    return { path: shown, engine, replacedBy };
  });
}

function replacementOf(
  engine: RawDatabases['engine'],
  method: ReturnType<typeof databasesOf>['method'],
  dumped: readonly Pick<RecordedDatabase, 'engine'>[],
  exporters: readonly DatabaseExport[],
): RecordedRawDatabases['replacedBy'] {
  if (method === 'panel') return exporters.some(({ result }) => result === 'ok') ? 'panel' : null;
  return method === 'stream' && dumped.some((each) => each.engine === engine) ? 'dumps' : null;
}
