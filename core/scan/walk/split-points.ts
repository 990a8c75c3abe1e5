import type { ByteString } from '../../manifest/entry.ts';
import type { ManifestReader } from '../../manifest/read/manifest-reader.ts';
import { SEGMENT_ROWS, SMALL_TREE } from '../limits.ts';

/** Longer paths are no cuts: a reader would spend more on the way to them than others save. */
const LONGEST_SPLIT_POINT = 1024;

/**
 * The paths at which a walk may pass from one reader to another, of which the previous state's largest manifest knows. Undefined
 * for a small tree, which one reads sooner than several come to terms, and for a unit's first backup: compressing everything
 * takes all processors anyway. Where cuts lie costs or saves time and changes nothing else.
 */
export function chooseSplitPoints(previous: readonly ManifestReader[]): ByteString[] | undefined {
  const [first, ...others] = previous;
  if (first === undefined) return undefined;
  const largest = others.reduce((best, layer) => (layer.rowCount > best.rowCount ? layer : best), first);
  if (largest.rowCount < SMALL_TREE) return undefined;
  return largest.pathsEvery(SEGMENT_ROWS).filter((path) => path.length <= LONGEST_SPLIT_POINT);
}
