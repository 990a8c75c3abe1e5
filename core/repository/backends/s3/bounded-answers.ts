import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../../../failure.ts';

/** Longer than any answer but an object: a page of a listing has a thousand names of at most 1024 bytes, escaped. */
const LONGEST = 16 * 1024 * 1024;

/** The library reads answers whole, however long: one that does not end is broken off. Objects are read in the length that was asked for. */
export function boundAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const result = await next(args);
        const response = result.response as { body?: unknown; statusCode?: number };
        const isObject = commandName === 'GetObjectCommand' && (response.statusCode ?? 0) < 300;
        if (!isObject && response.body instanceof Readable) response.body = bounded(response.body);
        return result;
      },
    { step: 'deserialize', name: 'boundAnswers', priority: 'low' },
  );
}

function bounded(body: Readable): Readable {
  return Readable.from(
    (async function* () {
      let length = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > LONGEST) throw new Failure('repository_refused', `the store answers with more than ${LONGEST} bytes`);
        yield chunk;
      }
    })(),
    { objectMode: false },
  );
}
