import { join } from 'node:path';
import { execa } from 'execa';

export interface TortureOptions {
  /** Entries of the largest directory. */
  readonly many?: number;
  /** Depth of the deepest directory. */
  readonly levels?: number;
}

/** Makes, at a place that does not exist yet, a tree with one of everything that a backup can lose. Remove it with `removeTree`. */
export async function makeTortureTree(root: string, { many = 50_000, levels = 1100 }: TortureOptions = {}): Promise<void> {
  await execa('/usr/bin/python3', [join(import.meta.dirname, 'torture-tree.py'), root, '--many', `${many}`, '--levels', `${levels}`]);
}
