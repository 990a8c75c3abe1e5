import type { ByteString, Entry } from '../manifest/entry.ts';
import { fromTreePath, toWirePath } from '../manifest/wire-path.ts';
import type { PathArgument } from '../schemas/parts.ts';
import type { EntryResult } from '../schemas/reading.ts';
import { entryTime } from './entry-time.ts';

/** What results tell of an entry; its path stands beside it. */
export function wireEntry(entry: Pick<Entry, 'kind' | 'mode' | 'uid' | 'gid' | 'size' | 'mtime' | 'content' | 'linkTarget'>): EntryResult {
  const { kind, mode, uid, gid, size, mtime, content, linkTarget } = entry;
  return {
    kind,
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    size,
    mtime: entryTime(mtime),
    digest: content === undefined ? null : content.digest.toString('hex'),
    target: linkTarget === undefined ? null : toWirePath(linkTarget),
  };
}

/** A path of a request, in the form of the manifests; people complete directory names with a slash. Undefined means the top. */
export function requestedPath(path: PathArgument | undefined): ByteString {
  return path === undefined ? '' : fromTreePath(path);
}
