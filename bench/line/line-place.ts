import type { Place } from '../tools/tool.ts';
import type { ShapedLine, StoreName } from './shaped-line.ts';

/** Where a tool works that stores at the other end of the line. */
export interface LinePlace extends Place {
  readonly line: ShapedLine;
  readonly store: StoreName;
}
