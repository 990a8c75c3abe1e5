import type { Entry } from '../manifest/entry.ts';

/** Members below this folder are pieces of files, named by the SHA-256 of their bytes; they belong to no path of the account. */
const CHUNK_FOLDER = '.apiscp-backup/chunks';

/** The tar member that keeps one chunk of a large file, of which the repository already held other chunks. */
export function chunkEntry(digest: Buffer, length: number): Entry {
  return {
    path: `${CHUNK_FOLDER}/${digest.toString('hex')}`,
    kind: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    size: length,
    mtime: 0n,
    ctime: 0n,
    device: 0n,
    inode: 0n,
    linkCount: 1,
    xattrs: [],
    inodeFlags: 0,
    flags: 0,
  };
}
