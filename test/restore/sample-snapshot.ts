import { createHash } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compressFrame } from '../../core/archive/frame.ts';
import { PackBuilder } from '../../core/archive/pack-builder.ts';
import type { Entry, Extent, ManifestRow } from '../../core/manifest/entry.ts';
import { comparePaths } from '../../core/manifest/path-order.ts';
import { ManifestWriter } from '../../core/manifest/write/manifest-writer.ts';
import type { PackContent, PackSource } from '../../core/restore/content/pack-cache.ts';
import type { ManifestFile } from '../../core/restore/plan/manifest-files.ts';
import { walkTree } from './tree-description.ts';

/** Packs in memory that can be damaged and that count what is read. */
export class SamplePacks implements PackSource {
  readonly objects = new Map<string, Buffer>();
  reads = 0;

  async open(pack: string): Promise<PackContent | undefined> {
    const object = this.objects.get(pack);
    return object && { length: object.length, read: (offset, length) => this.read(pack, offset, length) };
  }

  async read(pack: string, offset: number, length: number): Promise<Buffer> {
    this.reads++;
    return (this.objects.get(pack) as Buffer).subarray(offset, offset + length);
  }
}

/** A chain of snapshots made by hand: real packs, real manifests. */
export class SampleSnapshot {
  readonly packs = new SamplePacks();
  readonly manifests: ManifestFile[] = [];
  #rows: ManifestRow[] = [];
  readonly #frameSize: number;

  constructor(frameSize = 64 * 1024) {
    this.#frameSize = frameSize;
  }

  /** Adds a row as it is; the content of a file goes to `pack`. */
  add(row: ManifestRow): void {
    this.#rows.push(row);
  }

  /** Stores contents in a new pack, frame by frame, and returns their extents. A content may run on into further frames. */
  async store(pack: string, contents: readonly Buffer[]): Promise<Extent[]> {
    const chunks: Buffer[] = [];
    const builder = new PackBuilder((bytes) => {
      chunks.push(Buffer.from(bytes));
    });
    const extents: Extent[] = [];
    let frame = Buffer.alloc(0);
    for (const content of contents) {
      const digest = createHash('sha256').update(content).digest();
      extents.push({ pack, frame: builder.frameCount, offset: frame.length, length: content.length, digest });
      frame = Buffer.concat([frame, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
      while (frame.length >= this.#frameSize) {
        await builder.addFrame(Buffer.from(compressFrame(frame.subarray(0, this.#frameSize))), this.#frameSize);
        frame = frame.subarray(this.#frameSize);
      }
    }
    if (frame.length > 0) await builder.addFrame(Buffer.from(compressFrame(frame)), frame.length);
    await builder.finish();
    this.packs.objects.set(pack, Buffer.concat(chunks));
    return extents;
  }

  /** Adds everything below a directory under the virtual path `top`; `stored` goes to the pack `pack`. */
  async addTree(root: string, top: string, pack = 'packs/a'): Promise<void> {
    const found = [...walkTree(root)];
    const contents = found.filter(({ stored }) => stored !== undefined && stored.length > 0);
    const extents = await this.store(
      pack,
      contents.map(({ stored }) => stored as Buffer),
    );
    const extentOf = new Map(contents.map((each, index) => [each, extents[index] as Extent]));
    for (const each of found) {
      const { entry } = each;
      const path = top === '' ? entry.path : `${top}/${entry.path}`;
      const extent = extentOf.get(each);
      const content = entry.content === undefined ? undefined : { ...entry.content, extents: extent === undefined ? [] : [extent] };
      this.add({ ...entry, path, ...(content === undefined ? {} : { content }) });
    }
  }

  /** Ends a snapshot; what is added afterwards is the next one of the chain. */
  commit(): void {
    const name = join(tmpdir(), `sample-manifest-${process.pid}-${this.manifests.length}-${Math.random()}`);
    const descriptor = openSync(name, 'wx+');
    unlinkSync(name);
    const writer = new ManifestWriter((chunk) => writeSync(descriptor, chunk));
    for (const row of this.#rows.sort((a, b) => comparePaths(a.path, b.path))) writer.add(row);
    this.manifests.push({ descriptor, size: writer.finish().length });
    this.#rows = [];
  }

  close(): void {
    for (const { descriptor } of this.manifests) closeSync(descriptor);
  }
}

/** An entry with plain properties, to be changed by `over`. */
export function sampleEntry(path: string, over: Partial<Entry>): Entry {
  return {
    ...{ path, kind: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 1_600_000_000_000_000_001n, ctime: 1n },
    ...{ device: 1n, inode: BigInt(1 + Math.floor(Math.random() * 2 ** 40)), linkCount: 1, xattrs: [], inodeFlags: 0, flags: 0 },
    ...over,
  };
}
