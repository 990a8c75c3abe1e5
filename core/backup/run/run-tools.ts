import type { Context } from '../../context/context.ts';
import type { DatabaseExport } from '../../context/database-export.ts';
import type { Databases } from '../../databases/databases.ts';
import type { FoundDeletions } from '../../repository/history/deletions.ts';
import type { ManifestCache } from '../../repository/manifest-cache.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RunIndex } from '../../repository/run-index.ts';
import type { WorkerPool } from '../../scan/pack/worker-pool.ts';
import type { ReaderPool } from '../../scan/walk/reader-pool.ts';
import type { LastUnchanged } from '../../timeline/unchanged-runs.ts';
import type { LiveFiles } from '../databases/live-files.ts';
import type { RunControl } from './run-control.ts';
import type { RunJournal } from './run-journal.ts';
import type { UnitsInHand } from './units-in-hand.ts';

/** What a run shares between its units. */
export interface RunTools {
  readonly context: Context;
  readonly repository: Repository;
  readonly cache: ManifestCache;
  readonly pool: WorkerPool;
  readonly readers: ReaderPool;
  readonly databases: Databases;
  readonly liveFiles: LiveFiles;
  /** What exported databases before the units, for their records. */
  readonly exporters: readonly DatabaseExport[];
  readonly unchanged: LastUnchanged;
  /** What should be there, as the log of runs says, and what the server said that it deleted. */
  readonly history: { readonly runs: RunIndex; readonly deletions: FoundDeletions };
  readonly control: RunControl;
  /** Where it is noted which units the run has in hand; a run of some units takes no notes. */
  readonly inHand: UnitsInHand | undefined;
  readonly journal: RunJournal;
  /** Whether what was stored is read again before it is recorded. */
  readonly readBack: boolean;
}
