import { Failure } from '../../../failure.ts';
import { nameOf } from './s3-failure.ts';
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from './sdk.ts';
import type { S3Store } from './store.ts';

/** More pages than any store has of uploads that were never finished. */
const MOST_PAGES = 100;

/** Drops an upload; one that somebody else dropped or finished is no error. */
export async function dropUpload(store: S3Store, key: string, upload: string): Promise<void> {
  try {
    const command = new AbortMultipartUploadCommand({ Bucket: store.bucket, Key: key, UploadId: upload });
    await store.send(key, (client) => client.send(command));
  } catch (error) {
    if (nameOf((error as Failure).cause) !== 'NoSuchUpload') throw error;
  }
}

/**
 * Drops the uploads of keys that begin with `prefix`, were begun before `before` (milliseconds since 1970), and are meant. Returns how many. A store that
 * knows no such list, or refuses it to this key, keeps them: they take room, and nothing waits for that.
 */
export async function dropUploads(store: S3Store, prefix: string, before: number, isMeant: (key: string) => boolean): Promise<number> {
  let count = 0;
  let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
  try {
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const command = new ListMultipartUploadsCommand({ Bucket: store.bucket, Prefix: prefix, ...marker });
      const page = await store.send(store.description, (client) => client.send(command));
      for (const { Key = '', UploadId, Initiated } of page.Uploads ?? []) {
        const isOld = Initiated !== undefined && Initiated.getTime() < before;
        if (!isOld || UploadId === undefined || !Key.startsWith(prefix) || !isMeant(Key)) continue;
        await dropUpload(store, Key, UploadId);
        count++;
      }
      const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
      if (IsTruncated !== true || NextKeyMarker === undefined) break;
      marker = { KeyMarker: NextKeyMarker, ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }) };
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'repository_refused') throw error;
  }
  return count;
}
