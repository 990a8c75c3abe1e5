import type { Failure } from '../../../failure.ts';
import { statusOf, strangeAnswer } from './s3-failure.ts';
import { HeadObjectCommand } from './sdk.ts';
import type { S3Store } from './store.ts';

/** Says of an object whose it is: an answer that was lost leaves open whether this writer or another one was first. */
export const WRITER = 'writer';

/** What a store says of an object. */
export interface Look {
  /** In bytes. */
  readonly size: number;
  /** The mark of who wrote it; empty where there is none. */
  readonly writer: string;
}

export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Asks for what is known of an object; undefined when the answer is that it is not there, from whomever that comes. */
export async function lookAt(store: S3Store, name: string): Promise<Look | undefined> {
  try {
    const command = new HeadObjectCommand({ Bucket: store.bucket, Key: store.keyOf(name) });
    const { ContentLength, ETag, Metadata } = await store.send(name, (client) => client.send(command));
    // Each store names both; the page of a proxy has no tag.
    if (!isSize(ContentLength) || ETag === undefined) throw strangeAnswer(name, 'the answer says nothing of an object');
    return { size: ContentLength, writer: Metadata?.[WRITER] ?? '' };
  } catch (error) {
    if (statusOf((error as Failure).cause) === 404) return undefined;
    throw error;
  }
}
