import { doubtsResult } from '../browse/doubts.ts';
import { openUnit } from '../browse/open-unit.ts';
import type { Context } from '../context/context.ts';
import { partsInWords } from '../databases/left-out.ts';
import type { RecordedDatabase } from '../repository/record.ts';
import type { DatabasesRequest, DatabasesResult, ListedDatabase } from '../schemas/databases.ts';
import { doubtsOf } from '../timeline/point-in-time.ts';

/** Lists the databases that a unit's backup has at a point in time, in the order of their paths. */
export async function databases(request: DatabasesRequest, context: Context): Promise<DatabasesResult> {
  const { timeline, head } = await openUnit(request, context);
  const point = await timeline.resolve(request.at, context.now());
  const { moment, chain } = point;
  return { ...doubtsResult(doubtsOf(point)), ...head, moment, databases: (chain.at(-1)?.databases ?? []).map(listed) };
}

/** Without what a later version of this program may have recorded besides. */
function listed(recorded: RecordedDatabase): ListedDatabase {
  const { engine, name, path, result, server, characterSet, collation, size, sha256, tables, rows } = recorded;
  const { consistency, leftOut = [], at, seconds, secondsBeforeFiles, error } = recorded;
  return {
    ...{
      engine,
      name,
      path,
      result,
      server,
      characterSet,
      collation,
      size,
      sha256,
      tables,
      rows,
      consistency,
      at,
      seconds,
      secondsBeforeFiles,
    },
    ...(leftOut.length === 0 ? {} : { leftOut: partsInWords(leftOut) }),
    error: error === null ? null : { code: error.code, message: error.message },
  };
}
