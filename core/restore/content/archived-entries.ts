import type { ArchiveOutput } from '../../archive/archive-output.ts';
import { padding, tarHeader } from '../../archive/tar-header.ts';
import { Failure } from '../../failure.ts';
import { type ByteString, type Entry, EntryFlags } from '../../manifest/entry.ts';
import { NameGroups } from '../../manifest/name-groups.ts';
import { identityOf } from '../plan/link-groups.ts';
import type { Problem } from '../rules.ts';
import { contentInPieces } from './file-content.ts';
import { FrameSupply, supplyOf } from './frame-supply.ts';
import { PackCache, type PackSource } from './pack-cache.ts';

/** Writes entries of a point in time, in the order of their paths, as members of one archive. */
export class ArchivedEntries {
  readonly #output: ArchiveOutput;
  readonly #supply: FrameSupply;
  readonly #names = new NameGroups<ByteString>();
  readonly #report: (problem: Problem) => void;
  entries = 0;
  /** Of contents. */
  bytes = 0;

  /** `report` hears of entries that the archive does not have. */
  constructor(output: ArchiveOutput, packs: PackSource, report: (problem: Problem) => void) {
    this.#output = output;
    this.#report = report;
    const cache = new PackCache(packs);
    this.#supply = new FrameSupply((pack, frame) => {
      void supplyOf(cache, pack, frame).then((supply) => this.#supply.deliver(supply));
    });
  }

  /**
   * Writes one entry. Throws `digest_mismatch`, `repository_damaged` when the stored content is not what was recorded: then bytes of it may
   * have gone out, and the archive has to be broken off.
   */
  async add(entry: Entry): Promise<void> {
    const { path, kind, linkCount } = entry;
    if (kind === 'socket') return this.#report({ path, code: 'unsupported', message: 'an archive has no sockets' });
    if (lacksContent(entry)) return this.#report({ path, code: 'content_missing', message: 'the backup could not read this file' });
    if (kind !== 'directory' && linkCount > 1) {
      const { group: first, isFirst } = this.#names.meet(identityOf(entry), linkCount, () => path);
      if (!isFirst) {
        this.entries++;
        return await this.#output.write(tarHeader(entry, { linkTo: first }));
      }
    }
    this.entries++;
    const sparse = entry.content?.sparse;
    await this.#output.write(tarHeader(entry, sparse === undefined ? {} : { sparse }));
    if (kind === 'file' && entry.size > 0) await this.#addContent(entry);
  }

  async #addContent(entry: Entry): Promise<void> {
    let length = 0;
    for await (const piece of contentInPieces(entry, this.#supply)) {
      await this.#output.write(piece);
      length += piece.length;
    }
    const expected = entry.content?.sparse?.reduce((sum, range) => sum + range.length, 0) ?? entry.size;
    if (length !== expected) throw new Failure('repository_damaged', 'the stored content has another length than the entry');
    this.bytes += length;
    await this.#output.write(Buffer.alloc(padding(length)));
  }
}

function lacksContent({ kind, size, flags, content }: Entry): boolean {
  if (kind !== 'file' || size === 0) return false;
  const isWholeHole = content?.sparse?.length === 0;
  return (flags & EntryFlags.contentMissing) !== 0 || !(isWholeHole || (content?.extents.length ?? 0) > 0);
}
