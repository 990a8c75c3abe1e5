import type { ByteString } from '../entry.ts';
import { CONTEXT } from '../format/kinds.ts';
import { isWithin } from '../path-order.ts';
import { parentPath } from '../paths.ts';
import { BlockBuilder } from '../write/block-builder.ts';
import { BlockView } from './block-view.ts';

/**
 * What stands for a block that cannot be read: no rows but those that the next block lies below, as context rows, so that the walk through
 * all blocks stays one. `firstPath` and `nextFirstPath` are what the index says of the block and of the one after it.
 */
export function standIn(number: number, firstPath: ByteString, nextFirstPath: ByteString | undefined): BlockView {
  const missing = nextFirstPath === undefined ? [] : directoriesAbove(nextFirstPath).filter((path) => !isAbove(path, firstPath));
  const builder = new BlockBuilder(missing.length);
  const parent = missing[0] === undefined ? '' : parentPath(missing[0]);
  missing.forEach((path) => void builder.addBare(path.split('/').length - 1, path.slice(path.lastIndexOf('/') + 1), CONTEXT));
  return new BlockView(builder.build(parent), number);
}

/** The topmost first. */
function directoriesAbove(path: ByteString): ByteString[] {
  const above: ByteString[] = [];
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) above.push(path.slice(0, slash));
  return above;
}

/** Whether `directory` is one that `path` lies in. */
function isAbove(directory: ByteString, path: ByteString): boolean {
  return directory !== path && isWithin(path, directory);
}
