import { createHash, hash } from 'node:crypto';
import { Failure } from '../../failure.ts';
import type { ByteString, ManifestRow } from '../entry.ts';
import { writeFooter, writeHeader } from '../format/envelope.ts';
import { compressBlock } from '../format/frames.ts';
import { CONTEXT, holdsChildren, kindNumber, TOMBSTONE } from '../format/kinds.ts';
import { BLOCK_BYTES_TARGET, INDEX_BYTES_MAX, PACKS_MAX, ROWS_PER_BLOCK } from '../format/limits.ts';
import { PathStack } from '../format/path-stack.ts';
import { isName } from '../names.ts';
import { comparePaths, isWithin } from '../path-order.ts';
import { BlockBuilder } from './block-builder.ts';
import { IndexBuilder } from './index-builder.ts';

export interface FinishedManifest {
  /** Of the whole manifest, in bytes. */
  readonly length: number;
  /** Of the whole manifest, hexadecimal. */
  readonly sha256: string;
  readonly index: { readonly offset: number; readonly length: number; readonly sha256: string };
  /** The rows that were added. */
  readonly rows: number;
  /** The packs that the entries point at, by first use. */
  readonly packs: string[];
}

/** Writes a manifest from rows in path order. Keeps one block and a short summary of each finished one. */
export class ManifestWriter {
  readonly #sink: (chunk: Buffer) => void;
  readonly #rowsPerBlock: number;
  readonly #block: BlockBuilder;
  readonly #index = new IndexBuilder();
  readonly #hash = createHash('sha256');
  readonly #packNumbers = new Map<string, number>();
  /** The directory that the last row opened or lies in. */
  readonly #directory = new PathStack();
  #length = 0;
  #rows = 0;
  #previous: ByteString | undefined;
  #previousHoldsChildren = true;
  #blockParent: ByteString = '';
  #blockFirst: ByteString = '';

  /** `sink` gets the bytes of the manifest in order and must be done with each chunk when it returns. */
  constructor(sink: (chunk: Buffer) => void, options: { readonly rowsPerBlock?: number } = {}) {
    this.#sink = sink;
    this.#rowsPerBlock = options.rowsPerBlock ?? ROWS_PER_BLOCK;
    this.#block = new BlockBuilder(this.#rowsPerBlock);
    this.#write(writeHeader());
  }

  /** Rows must come in the order of `comparePaths`, none twice, and none below a tombstone or anything but a directory. */
  add(row: ManifestRow): void {
    this.#checkPlace(row.path);
    const slash = row.path.lastIndexOf('/');
    const name = checkedName(slash === 0 ? row.path : row.path.slice(slash + 1));
    this.#openParents(slash < 0 ? '' : row.path.slice(0, slash));
    const depth = this.#directory.depth;
    this.#startBlock(row.path);
    if (row.kind === 'tombstone') this.#block.addBare(depth, name, TOMBSTONE);
    else this.#block.addEntry(depth, name, row, this.#packNumber);
    if (row.kind === 'directory') this.#directory.enter(name);
    this.#previous = row.path;
    this.#previousHoldsChildren = row.kind !== 'tombstone' && holdsChildren(kindNumber(row.kind));
    this.#rows++;
    this.#endBlock();
  }

  finish(): FinishedManifest {
    this.#flush();
    const packs = [...this.#packNumbers.keys()];
    const content = this.#index.build(this.#rows, packs);
    if (content.length > INDEX_BYTES_MAX || packs.length > PACKS_MAX) {
      throw new Failure('unsupported', `a manifest of ${this.#rows} rows and ${packs.length} packs would be too large to be read`);
    }
    const frame = compressBlock(content);
    const index = { offset: this.#length, length: frame.length, sha256: hash('sha256', frame) };
    this.#write(frame);
    this.#write(writeFooter({ ...index, contentLength: content.length }));
    return { length: this.#length, sha256: this.#hash.digest('hex'), index, rows: this.#rows, packs };
  }

  #checkPlace(path: ByteString): void {
    const previous = this.#previous;
    if (previous === undefined) return;
    if (comparePaths(previous, path) >= 0) throw new Failure('internal', 'manifest rows are out of order', { affected: [previous, path] });
    if (!this.#previousHoldsChildren && isWithin(path, previous)) {
      throw new Failure('internal', 'a manifest row lies below what is no directory', { affected: [previous, path] });
    }
  }

  /** Leaves directories that are done, and writes context rows for those above the new row that are no rows themselves. */
  #openParents(parent: ByteString): void {
    const directory = this.#directory;
    while (!isWithin(parent, directory.path)) directory.leaveTo(directory.depth - 1);
    if (directory.path.length === parent.length) return;
    for (const name of parent
      .slice(directory.depth === 0 ? 0 : directory.path.length + 1)
      .split('/')
      .map(checkedName)) {
      this.#startBlock(directory.join(name));
      this.#block.addBare(directory.depth, name, CONTEXT);
      directory.enter(name);
      this.#endBlock();
    }
  }

  #startBlock(path: ByteString): void {
    if (this.#block.rows > 0) return;
    this.#blockParent = this.#directory.path;
    this.#blockFirst = path;
  }

  #endBlock(): void {
    if (this.#block.rows === this.#rowsPerBlock || this.#block.variableBytes >= BLOCK_BYTES_TARGET) this.#flush();
  }

  #flush(): void {
    if (this.#block.rows === 0) return;
    const content = this.#block.build(this.#blockParent);
    const frame = compressBlock(content);
    this.#index.add({
      offset: this.#length,
      length: frame.length,
      contentLength: content.length,
      rows: this.#block.rows,
      firstPath: this.#blockFirst,
      digest: hash('sha256', frame, 'buffer'),
    });
    this.#write(frame);
    this.#block.clear();
  }

  readonly #packNumber = (pack: string): number => {
    let number = this.#packNumbers.get(pack);
    if (number === undefined) {
      number = this.#packNumbers.size;
      this.#packNumbers.set(pack, number);
    }
    return number;
  };

  #write(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#length += chunk.length;
    this.#sink(chunk);
  }
}

function checkedName(name: ByteString): ByteString {
  if (!isName(name)) throw new Failure('internal', 'a manifest row has no proper path', { affected: [name] });
  return name;
}
