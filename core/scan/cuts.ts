import type { ByteString } from '../manifest/entry.ts';
import type { Exclusion } from '../manifest/exclusion.ts';
import type { ManifestReader } from '../manifest/manifest-reader.ts';
import { comparePaths } from '../manifest/path-order.ts';
import { inlinePages } from './inline-pages.ts';
import { SEGMENT_ROWS, SMALL_TREE } from './limits.ts';
import { Note } from './row-page.ts';
import type { ReaderTask } from './tree-reader.ts';

/** Longer paths are no cuts: a reader would spend more on the way to them than others save. */
const LONGEST_CUT = 1024;

/** With so many directories to share out, readers are rarely idle. */
const ENOUGH_CUTS = 64;

/**
 * The paths at which a walk may pass from one reader to another; undefined for a small tree, which one reads sooner than
 * several come to terms. Where cuts lie costs or saves time and changes nothing else.
 */
export function chooseCuts(previous: readonly ManifestReader[], task: ReaderTask, exclusion: Exclusion): ByteString[] | undefined {
  const [first, ...others] = previous;
  if (first === undefined) return cutsOfUnknown(task, exclusion);
  const largest = others.reduce((best, run) => (run.rowCount > best.rowCount ? run : best), first);
  if (largest.rowCount < SMALL_TREE) return undefined;
  return largest.pathsEvery(SEGMENT_ROWS).filter((path) => path.length <= LONGEST_CUT);
}

/** Looks at the top of a tree of which nothing is known, one level more each time. */
function cutsOfUnknown(task: ReaderTask, exclusion: Exclusion): ByteString[] | undefined {
  const cuts = new Set<ByteString>();
  let left = SMALL_TREE;
  for (let depth = 2; left > 0 && cuts.size < ENOUGH_CUTS; depth++) {
    let isWhole = true;
    for (const { path, isDeeper } of shallowDirectories(task, exclusion, depth)) {
      if (isDeeper) isWhole = false;
      if (isDeeper && path.length <= LONGEST_CUT) cuts.add(path);
      if (--left <= 0) break;
    }
    if (isWhole && left > 0) return undefined;
  }
  return [...cuts].sort(comparePaths);
}

/** Every name down to a depth, and whether it is a directory below which there is more. */
function* shallowDirectories(task: ReaderTask, exclusion: Exclusion, depth: number): Generator<{ path: ByteString; isDeeper: boolean }> {
  const above: ByteString[] = [];
  for (const page of inlinePages(task, exclusion, depth)) {
    for (let row = 0; row < page.count; row++) {
      above.length = page.depth(row);
      above.push(page.name(row));
      yield { path: above.join('/'), isDeeper: page.note(row) === Note.tooDeep };
    }
  }
}
