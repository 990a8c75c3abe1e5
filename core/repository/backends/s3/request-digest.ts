import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';

/** Some stores take a lock only with the MD5 of the request beside it; the library sends a newer checksum, which those do not know or refuse. */
export function digestLocks(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { body, headers } = args.request as { readonly body?: unknown; readonly headers: Record<string, string> };
        if (commandName === 'PutObjectRetentionCommand' && typeof body === 'string') {
          headers['content-md5'] = createHash('md5').update(body).digest('base64');
          for (const name of Object.keys(headers)) if (/^x-amz-(?:sdk-)?checksum-/.test(name)) delete headers[name];
        }
        return next(args);
      },
    { step: 'build', name: 'digestLocks', priority: 'low' },
  );
}
