import { hash } from 'node:crypto';
import type { ObjectReference } from '../../core/repository/record.ts';
import type { Image } from './disk.ts';

const RECORD = /^(\/repository\/servers\/[^/]+\/)units\/[^/]+\/snapshots\/[^/.]+\.json$/;
const DOCUMENT = /^\/repository\/(?!.*\/?\.incoming\/).*\.json$/;

/** What is wrong with the repository on a disk, as far as that can be told without the program: a record that is there names what is there. */
export function unsoundness(image: Image): string[] {
  const wrong: string[] = [];
  for (const [path, content] of image) {
    if (!Buffer.isBuffer(content) || !DOCUMENT.test(path)) continue;
    const document = parsed(content);
    if (document === undefined) wrong.push(`${path} is not whole`);
    const [, folder] = RECORD.exec(path) ?? [];
    if (document === undefined || folder === undefined) continue;
    for (const { path: object, sha256 } of [document.manifest, ...document.packs]) {
      const stored = image.get(`${folder}${object}`);
      if (!Buffer.isBuffer(stored)) wrong.push(`${path} is there, and not ${object}`);
      else if (hash('sha256', stored, 'hex') !== sha256) wrong.push(`${path} is there, and ${object} is not whole`);
    }
  }
  return wrong;
}

function parsed(content: Buffer): { readonly manifest: ObjectReference; readonly packs: readonly ObjectReference[] } | undefined {
  try {
    return JSON.parse(content.toString());
  } catch {
    return undefined;
  }
}
