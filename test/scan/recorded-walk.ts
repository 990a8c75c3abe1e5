import type { ByteString } from '../../core/manifest/entry.ts';
import type { MergedTree } from '../../core/manifest/merge/merged-tree.ts';
import { TreeComparison, type WalkListener } from '../../core/scan/compare/tree-comparison.ts';
import type { RowPage } from '../../core/scan/walk/row-page.ts';
import type { ScanRoot } from '../../core/scan/walk/scan-roots.ts';

/** What a walk told, one line each. */
export interface RecordedWalk {
  readonly lines: string[];
  readonly entries: number;
  readonly bytes: number;
}

/** A listener that writes down what it is told. */
export class Recorder implements WalkListener {
  readonly lines: string[] = [];

  changed: WalkListener['changed'] = (_directory, _name, path, stat, known, flags) => {
    const mark = flags === 0 ? '' : ` flags ${flags}`;
    this.lines.push(`${known ? 'changed' : 'new'} ${path} ${stat.kind} ${stat.inode} ${stat.size}${mark}`);
  };

  kept: WalkListener['kept'] = ({ path, flags }) => {
    this.lines.push(`kept ${path} flags ${flags}`);
  };

  unseen: WalkListener['unseen'] = (path) => {
    this.lines.push(`unseen ${path}`);
  };

  deleted: WalkListener['deleted'] = (path) => {
    this.lines.push(`deleted ${path}`);
  };

  problem: WalkListener['problem'] = (path, code, message) => {
    this.lines.push(`${code} ${path}: ${message}`);
  };
}

/** Compares all pages with a previous state. */
export async function record(
  roots: readonly ScanRoot[],
  pages: AsyncIterable<RowPage> | Iterable<RowPage>,
  previous?: MergedTree,
  onPage: (recorder: Recorder) => void = () => {},
): Promise<RecordedWalk> {
  const recorder = new Recorder();
  const comparison = new TreeComparison(roots, previous, recorder);
  try {
    for await (const page of pages) {
      onPage(recorder);
      comparison.take(page);
    }
    comparison.finish();
    return { lines: recorder.lines, entries: comparison.entries, bytes: comparison.bytes };
  } finally {
    comparison.close();
  }
}

/** The root `tree` in a folder. */
export function rootIn(folder: ByteString): ScanRoot[] {
  return [{ path: 'tree', parent: folder }];
}
