import type { Journal } from '../journal.ts';
import type { Size } from '../sizes.ts';
import type { PresentTool } from '../tools/choose.ts';
import type { Text } from '../tree/text.ts';

/** What every scenario gets. */
export interface Bench {
  readonly size: Size;
  /** Where trees, repositories and restores are, all on one disk. */
  readonly folder: string;
  readonly rounds: number;
  readonly tools: readonly PresentTool[];
  readonly text: Text;
  readonly journal: Journal;
}
