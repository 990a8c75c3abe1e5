import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execa } from 'execa';

const DESCRIBER = join(import.meta.dirname, 'describe-tree.py');

/** One entry of a tree with every property, as `describe-tree.py` prints it. Names are bytes, one a character. */
export interface Description {
  /** Below the root of the tree; the root itself is "". */
  readonly path: string;
  readonly kind: string;
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. */
  readonly mtime: string;
  /** Values in hexadecimal. */
  readonly xattrs: Readonly<Record<string, string>>;
  /** Files and directories: what chattr(1) may set. */
  readonly flags?: number;
  readonly size?: number;
  /** Digest of the whole file, the same whether zeros are stored or holes. */
  readonly content?: string;
  /** The ranges that hold data, `offset+length`, when they are not the whole file. */
  readonly data?: string;
  readonly target?: string;
  readonly device?: string;
  /** Of entries with several names: how many, and the first of them in this tree. */
  readonly linkCount?: number;
  readonly firstName?: string;
}

async function* descriptions(input: Readable): AsyncGenerator<Description> {
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) yield JSON.parse(line);
}

/** Every entry of the tree at `root`, in path order; throws when one cannot be read completely. */
export async function* describeTree(root: string): AsyncGenerator<Description> {
  const describer = execa('/usr/bin/python3', [DESCRIBER, root], { buffer: { stdout: false }, env: { LC_ALL: 'C.UTF-8' } });
  yield* descriptions(describer.stdout);
  await describer;
}

/** Describes the tree at `root` into a file, for a comparison after the tree has changed. */
export async function saveDescription(root: string, file: string): Promise<void> {
  await execa('/usr/bin/python3', [DESCRIBER, root], { stdout: { file }, env: { LC_ALL: 'C.UTF-8' } });
}

/** What `saveDescription` wrote. */
export function savedDescription(file: string): AsyncGenerator<Description> {
  return descriptions(createReadStream(file));
}
