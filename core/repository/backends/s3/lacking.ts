import { Failure } from '../../../failure.ts';
import type { Lack } from '../backend.ts';
import { S3ObjectLocks } from './object-locks.ts';
import { statusOf } from './s3-failure.ts';
import { GetBucketVersioningCommand } from './sdk.ts';
import type { S3Store } from './store.ts';

const PLAIN = /^s3:http:/;
const LOOPBACK = /^s3:http:\/\/(?:127\.|localhost[:/]|\[::1\])/;
/** What a bucket without locks is asked by: nothing is locked by this. */
const ANY_RULE = { mode: 'governance', period: 0 } as const;
/** Answers of a store that does not know the request, and of one that does not let this key ask. */
const NO_ANSWER = new Set([400, 403, 404, 405, 501]);

/** What a bucket lacks; `isExclusive` is whether a second writer of one name was refused by the store itself. */
export async function bucketLacks(store: S3Store, isExclusive: boolean): Promise<Lack[]> {
  const lacks: Lack[] = [];
  const add = (what: Lack['what'], message: string): void => void lacks.push({ what, message });
  if (!isExclusive) {
    add('exclusive', 'the store has no conditional writes: that a name is free is found by a look before; names are random');
  }
  if (!(await keepsVersions(store))) {
    add(
      'versions',
      'the bucket keeps no versions, as far as this key may know: what is deleted or overwritten, by whoever has the key, is gone',
    );
  } else if (!(await hasLocks(store))) {
    add('locks', 'the bucket has no object lock, as far as this key may know: whoever may delete versions deletes them at once');
  }
  if (PLAIN.test(store.description) && !LOOPBACK.test(store.description)) {
    add('secrecy', 'the store is reached without TLS: whoever is on the way reads what is not encrypted, and can change answers');
  }
  return lacks;
}

async function keepsVersions(store: S3Store): Promise<boolean> {
  const command = new GetBucketVersioningCommand({ Bucket: store.bucket });
  try {
    return (await store.send(store.description, (client) => client.send(command))).Status === 'Enabled';
  } catch (error) {
    if (NO_ANSWER.has(statusOf((error as Failure).cause) ?? 0)) return false;
    throw error;
  }
}

async function hasLocks(store: S3Store): Promise<boolean> {
  try {
    await new S3ObjectLocks(store, ANY_RULE).check();
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === 'repository_refused') return false;
    throw error;
  }
}
