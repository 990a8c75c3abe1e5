import { PackReader } from '../../archive/pack-reader.ts';
import { padding } from '../../archive/tar-header.ts';
import { asFailure, Failure } from '../../failure.ts';
import type { Extent, ManifestRow } from '../../manifest/entry.ts';
import type { ObjectReference } from '../../repository/record.ts';
import type { Repository } from '../../repository/repository.ts';

/** A pack of which less than this share is still needed is not pointed at any more: what is needed of it is copied. */
const MINIMUM_LIVE_RATIO = 0.75;

/** What a file's member mostly takes in a pack besides its content: a header, a header of records, and a block of them. */
const MEMBER_HEADERS = 3 * 512;

/** A pack that is needed by little of what is in it. */
export interface UnderUsedPack {
  readonly reference: ObjectReference;
  readonly reader: PackReader;
  /** How many extents of the manifest lie in it. */
  readonly extents: number;
}

/** The extents of a row. */
export function extentsOf(row: ManifestRow): readonly Extent[] {
  return row.kind === 'file' ? (row.content?.extents ?? []) : [];
}

/** What rows need of a pack. */
interface Need {
  /** Of the archive, uncompressed. */
  readonly bytes: number;
  readonly extents: number;
}

/** What the rows need of each of some packs. What several names share counts for each of them: a pack may seem more alive than it is, never less. */
function needsOf(rows: Iterable<ManifestRow>, packs: { has(path: string): boolean }): Map<string, Need> {
  const needs = new Map<string, { bytes: number; extents: number }>();
  for (const row of rows) {
    const extents = extentsOf(row);
    // The chunks of a large file mostly lie in one member.
    const headers = extents.length === 1 ? MEMBER_HEADERS : 0;
    for (const { pack, length } of extents) {
      if (!packs.has(pack)) continue;
      const sum = needs.get(pack) ?? { bytes: 0, extents: 0 };
      sum.bytes += length + padding(length) + headers;
      sum.extents++;
      needs.set(pack, sum);
    }
  }
  return needs;
}

/** Which of `packs` (by path) the rows need less than `MINIMUM_LIVE_RATIO` of. */
export async function findUnderUsedPacks(
  rows: Iterable<ManifestRow>,
  packs: ReadonlyMap<string, ObjectReference>,
  repository: Repository,
): Promise<UnderUsedPack[]> {
  const spare: UnderUsedPack[] = [];
  for (const [path, { bytes, extents }] of needsOf(rows, packs)) {
    const reference = packs.get(path);
    if (reference === undefined) continue;
    const reader = await openPack(reference, repository);
    if (bytes < MINIMUM_LIVE_RATIO * reader.decompressedLength) spare.push({ reference, reader, extents });
  }
  return spare;
}

/**
 * The same of packs that nobody here can read, whose tables say nothing then: by what one of the manifests before, each the rows of one,
 * needs of them, and by their stored length. So a pack may seem more alive than it is.
 */
export function findUnderUsedByManifests(
  rows: Iterable<ManifestRow>,
  packs: ReadonlyMap<string, ObjectReference>,
  before: readonly Iterable<ManifestRow>[],
): Omit<UnderUsedPack, 'reader'>[] {
  const earlier = before.map((each) => needsOf(each, packs));
  const spare: Omit<UnderUsedPack, 'reader'>[] = [];
  for (const [path, { bytes, extents }] of needsOf(rows, packs)) {
    const reference = packs.get(path);
    if (reference === undefined) continue;
    const whole = Math.max(reference.length, ...earlier.map((needs) => needs.get(path)?.bytes ?? 0));
    if (bytes < MINIMUM_LIVE_RATIO * whole) spare.push({ reference, extents });
  }
  return spare;
}

/** Throws what is wrong with the pack, and names it. */
async function openPack({ path, length }: ObjectReference, repository: Repository): Promise<PackReader> {
  try {
    const content = await repository.openContent(path, length);
    return await PackReader.open(content.length, content.read);
  } catch (error) {
    throw damagedPack(path, error);
  }
}

/** What was thrown when a pack was read, as a failure that names the pack. */
export function damagedPack(path: string, error: unknown): Failure {
  const { code, message, retry } = asFailure(error);
  return new Failure(code, `the pack ${path}: ${message}`, { affected: [path], retry, cause: error });
}
