import { Failure } from '../failure.ts';
import { lastComponent } from '../manifest/paths.ts';
import { snapshotDocument } from '../repository/documents.ts';
import { sealedBytes } from '../repository/keys/sealed-members.ts';
import { snapshotPath } from '../repository/layout.ts';
import type { ManifestReference, ObjectReference, SnapshotRecord } from '../repository/record.ts';
import { checkRecord } from '../repository/record-check.ts';
import type { Repository } from '../repository/repository.ts';
import type { DigestThere } from './remade-documents.ts';
import type { SentObject } from './sent-objects.ts';

/** In clear in each record. Where nothing is encrypted the words for it may have paths of an account. */
const REASON = 'The repository of which this is a copy says why.';

/**
 * The bytes of the record of a snapshot as the target has it: it names what is there. `record` is the source's with its private members, and `wasSealed`
 * says whether they are sealed there; `sentAs` gives what was made of an object that it names.
 */
export function sealedRecord(
  record: SnapshotRecord,
  wasSealed: boolean,
  target: Repository,
  sentAs: (object: ObjectReference) => SentObject,
  digestThere: DigestThere,
): Promise<Buffer> {
  const { sealed: _, ...whole } = wasSealed ? record : { ...record, reason: REASON };
  const path = snapshotPath(record.unit, record.id);
  const there = <Link extends { readonly id: string; readonly sha256: string } | null>(link: Link): Link =>
    link === null ? link : { ...link, sha256: digestThere(snapshotPath(record.unit, link.id)) ?? link.sha256 };
  const manifest = manifestOf(sentAs(record.manifest));
  const packs = record.packs.map((pack) => packOf(sentAs(pack)));
  const own = packs.filter((pack) => lastComponent(pack.path).startsWith(`${record.id}-`));
  const stored = [manifest, ...own].reduce((sum, { length }) => sum + length, 0);
  const value: SnapshotRecord = {
    ...{ ...whole, repository: target.identity.id, parent: there(record.parent), base: there(record.base) },
    ...{ bytes: { ...record.bytes, stored }, manifest, packs },
  };
  checkRecord(value, { repository: target.identity.id, server: target.server, unit: record.unit, path });
  return sealedBytes(snapshotDocument, target.nameOf(path), value, target);
}

function packOf({ path, length, sha256, keys }: SentObject): ObjectReference {
  return { path, length, sha256, ...(keys === undefined ? {} : { keys }) };
}

function manifestOf(sent: SentObject): ManifestReference {
  const { content, index } = sent;
  if (content === undefined || index === undefined) {
    throw new Failure('internal', `what is known of ${sent.path} is not what a record says of a manifest`, { affected: [sent.path] });
  }
  return { ...packOf(sent), content, index };
}
