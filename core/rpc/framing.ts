import type { Readable } from 'node:stream';

/** A longer line is refused: a request is a few paths, and memory stays bounded whatever the peer sends. */
const LINE_LIMIT = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

export type Line =
  | { readonly kind: 'line'; readonly bytes: Buffer }
  /** More than the limit; its bytes were thrown away up to its newline. */
  | { readonly kind: 'too-long' }
  /** The input ended without a newline: the rest may be missing, so it is no request. */
  | { readonly kind: 'unfinished' };

/**
 * Cuts a byte stream into lines (JSON Lines: each ends with a line feed), without the line feed. Holds at most `limit`
 * bytes of an unfinished line.
 */
export async function* readLines(input: Readable | AsyncIterable<Buffer>, limit = LINE_LIMIT): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let held = 0;
  let tooLong = false;
  const hold = (part: Buffer): void => {
    held += part.length;
    if (held > limit) {
      tooLong = true;
      parts = [];
    } else if (!tooLong && part.length > 0) {
      parts.push(part);
    }
  };
  for await (const chunk of input as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      hold(chunk.subarray(start, end));
      yield tooLong ? { kind: 'too-long' } : { kind: 'line', bytes: Buffer.concat(parts) };
      start = end + 1;
      parts = [];
      held = 0;
      tooLong = false;
    }
    hold(chunk.subarray(start));
  }
  if (held > 0) yield { kind: 'unfinished' };
}
