import type { S3Client } from '@aws-sdk/client-s3';
import { currentTraffic } from '../operation.ts';
import type { RequestKind } from '../traffic.ts';

const KINDS: Readonly<Record<string, RequestKind>> = {
  GetObjectCommand: 'read',
  HeadObjectCommand: 'size',
  ListObjectsV2Command: 'list',
  ListObjectVersionsCommand: 'list',
  PutObjectCommand: 'write',
  CreateMultipartUploadCommand: 'write',
  UploadPartCommand: 'write',
  CompleteMultipartUploadCommand: 'write',
  DeleteObjectCommand: 'remove',
};

/** The part of a request and of its answer that is looked at here. */
interface Message {
  readonly headers?: Readonly<Record<string, string>>;
}

function lengthOf(message: unknown): number {
  return Number((message as Message | undefined)?.headers?.['content-length'] ?? 0) || 0;
}

/** Counts each request that goes out for the operation under way, and the bytes of objects that go and come. */
export function countRequests(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const traffic = currentTraffic();
        const kind = KINDS[commandName] ?? 'other';
        traffic?.count(kind);
        if (kind === 'write') traffic?.sent(lengthOf(args.request));
        const result = await next(args);
        if (kind === 'read') traffic?.received(lengthOf(result.response));
        return result;
      },
    { step: 'deserialize', name: 'countRequests', priority: 'low' },
  );
}
