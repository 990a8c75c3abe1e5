import { databasesOf } from '../../config/databases.ts';
import type { Engine } from '../../databases/engine.ts';
import { DATABASES } from '../../databases/virtual-paths.ts';
import { excludeMatcherOf } from '../../exclude/exclude-rules.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { endOfTree, mergedEntries } from '../../manifest/merge/merged-entries.ts';
import { type PanelUnit, pathBytes } from '../../panel/unit.ts';
import type { SnapshotRecord } from '../../repository/record.ts';
import type { ScanOutput } from '../../scan/collector.ts';
import type { UnitPlan } from '../previous/level.ts';
import type { RunTools } from '../run/run-tools.ts';
import { dumpRows } from './dump-entries.ts';
import type { StreamStore } from './dump-one.ts';
import { type DumpedDatabases, UnitDumps } from './unit-dumps.ts';

/** Dumps the databases of a unit as the settings say; where they say nothing of the kind, dumps of before are not part of the snapshot any more. */
export async function dumpDatabases(
  subject: PanelUnit,
  plan: UnitPlan,
  last: SnapshotRecord | undefined,
  store: StreamStore,
  output: ScanOutput,
  { context, databases, control }: RunTools,
): Promise<DumpedDatabases> {
  const { settings, now } = context;
  const { method, timeLimit } = databasesOf(settings);
  const readers = plan.previous?.readers ?? [];
  const before = readers.length === 0 ? [] : [...mergedEntries(readers, DATABASES, endOfTree(DATABASES))].map(({ entry }) => entry);
  if (method !== 'stream') {
    // The folder goes with all that is in it.
    for (const row of dumpRows(before.slice(0, 1), { present: [], kept: new Set() })) output.row(row);
    return { records: [], totals: { entries: 0, bytes: 0 } };
  }
  const order = {
    unit: subject.name,
    databases,
    before,
    recorded: last?.databases,
    isExcluded: excludedDatabases(settings.exclude),
    timeLimit,
    signal: control.signal,
    now,
    mayGoOn: control.mayGoOn,
    onKept: (engine: Engine, names: readonly string[]) =>
      context.reporter.log({
        level: 'info',
        code: 'replaced_databases',
        message: `${subject.name}: not backed up, because a restore has replaced them (${engine}): ${names.join(', ')}; drop them when nobody wants to go back: ${dropStatements(engine, names)}`,
        affected: [...names],
      }),
  };
  return new UnitDumps(order, store, output).run();
}

function dropStatements(engine: Engine, names: readonly string[]): string {
  const [quote, program] = engine === 'mysql' ? ['`', 'mysql'] : ['"', 'psql'];
  return `in ${program}: ${names.map((name) => `DROP DATABASE ${quote}${name.replaceAll(quote, quote + quote)}${quote};`).join(' ')}`;
}

/** What the setting `exclude` says of databases: a pattern for files, such as `*.sql`, means none of them. */
function excludedDatabases(patterns: readonly string[]): (path: ByteString) => boolean {
  const own = patterns.filter((pattern) => /^!?\/databases(\/|$)/.test(pattern)).map(pathBytes);
  const matcher = excludeMatcherOf({ paths: [], patterns: own });
  return (path) => {
    const components = path.split('/');
    return components.some((name, depth) => {
      const isFolder = depth < components.length - 1;
      return matcher.inDirectory(components.slice(0, depth).join('/'))?.(name, isFolder) === true;
    });
  };
}
