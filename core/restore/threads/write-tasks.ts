import { word } from '../../manifest/format/columns.ts';
import { FrameStretches } from '../content/frame-stretches.ts';
import type { PackCache, StoredFrame } from '../content/pack-cache.ts';
import { FileColumn, type PackPlan, type Plan, placeAt } from '../plan/plan.ts';
import type { Overwrite } from '../rules.ts';
import { WORDS_PER_ROW, type WriteTask } from './write-messages.ts';
import type { PreparedTask } from './write-pool.ts';

/** The most files of one task, so that one frame of very many empty-looking files stays bounded, too. */
const FILES_PER_TASK = 4096;
/** Few enough that threads end together and a restore can be stopped soon. */
const SINGLES_PER_TASK = 512;

/**
 * What there is to write, the longest first, so that threads end together: files in several frames, one by one; files in the order of
 * packs and frames, so that each frame is fetched once; entries that need no pack. Nothing is fetched ahead where comparing may show
 * that it is not needed.
 */
export function* planTasks(
  plan: Pick<Plan, 'large' | 'packs' | 'singles' | 'anew'>,
  packCache: PackCache,
  overwrite: Overwrite,
): Generator<PreparedTask> {
  for (let row = 0; row < plan.large.length; row++) {
    const place = placeAt(plan.large, row);
    yield { isLong: true, prepare: async () => ({ type: 'file', place }) };
  }
  for (let row = 0; row < plan.anew.length; row++) {
    const place = placeAt(plan.anew, row);
    yield { isLong: true, prepare: async () => ({ type: 'anew', place }) };
  }
  const stretches = packCache.isDistant && overwrite !== 'changed' ? new FrameStretches(packCache, wantedFrames(plan)) : undefined;
  let number = 0;
  for (const { pack, frame, rows } of wantedFrames(plan)) {
    const own = number++;
    const fetch = () => stretches?.take(own) ?? packCache.fetch(pack, frame);
    const prepare = async (): Promise<WriteTask> => {
      const stored = overwrite === 'changed' ? undefined : await unlessFailed(fetch);
      return { type: 'frame', pack, frame, rows, ...(stored === undefined ? {} : { stored }) };
    };
    yield { isLong: false, prepare };
  }
  for (let begin = 0; begin < plan.singles.length; begin += SINGLES_PER_TASK) {
    const rows = plan.singles.rows(begin, begin + SINGLES_PER_TASK);
    yield { isLong: false, prepare: async () => ({ type: 'singles', rows }) };
  }
}

/** A frame that cannot be fetched is asked for by the thread again, which then names the files that need it. */
async function unlessFailed(fetch: () => Promise<StoredFrame>): Promise<StoredFrame | undefined> {
  try {
    return await fetch();
  } catch {
    return undefined;
  }
}

/** The frames of a plan in the order in which they are written, each with its files. */
function* wantedFrames({ packs }: Pick<Plan, 'packs'>): Generator<{ pack: string; frame: number; rows: Uint32Array }> {
  for (const plan of packs) for (const { frame, rows } of frameGroups(plan)) yield { pack: plan.pack, frame, rows };
}

/** The files of a pack, grouped by frame. */
export function* frameGroups({ files }: PackPlan): Generator<{ frame: number; rows: Uint32Array }> {
  const order = files.orderBy(FileColumn.frame);
  const frameAt = (index: number) => files.get(word(order, index), FileColumn.frame);
  for (let begin = 0; begin < order.length; ) {
    const frame = frameAt(begin);
    let end = begin + 1;
    while (end < order.length && end - begin < FILES_PER_TASK && frameAt(end) === frame) end++;
    const rows = new Uint32Array((end - begin) * WORDS_PER_ROW);
    for (let index = begin; index < end; index++) {
      const file = word(order, index);
      rows.set(
        [files.get(file, FileColumn.layer), files.get(file, FileColumn.block), files.get(file, FileColumn.row)],
        (index - begin) * WORDS_PER_ROW,
      );
    }
    yield { frame, rows };
    begin = end;
  }
}
