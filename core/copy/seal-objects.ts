import { renamePacks } from '../manifest/write/rename-packs.ts';
import { sealedPath } from '../repository/layout.ts';
import type { ObjectOutput } from '../repository/object-output.ts';
import type { ManifestReference, ObjectReference } from '../repository/record.ts';
import type { ServerFolder } from '../repository/server-folder.ts';
import type { SentObject } from './sent-objects.ts';
import { verifiedContent } from './verified-content.ts';

type Output = Pick<ObjectOutput, 'write'>;

/** What a pack holds, as it is. `proceed` is called between parts, and throws to stop. */
export async function sealPack(source: ServerFolder, pack: ObjectReference, output: Output, proceed: () => void): Promise<void> {
  for await (const part of verifiedContent(source, pack)) {
    proceed();
    await output.write(part);
  }
}

/** A manifest in which packs have the names that they have where all of them are encrypted. Gives where its index is. */
export async function sealManifest(
  source: ServerFolder,
  manifest: ManifestReference,
  output: Output,
  proceed: () => void,
): Promise<Required<Pick<SentObject, 'index'>>> {
  const { offset } = manifest.index;
  const end: Buffer[] = [];
  let at = 0;
  for await (const part of verifiedContent(source, manifest)) {
    proceed();
    const before = Math.min(Math.max(offset - at, 0), part.length);
    if (before > 0) await output.write(part.subarray(0, before));
    if (before < part.length) end.push(part.subarray(before));
    at += part.length;
  }
  const { bytes, index } = renamePacks(Buffer.concat(end), offset, (pack) => sealedPath(pack) ?? pack);
  await output.write(bytes);
  return { index };
}
