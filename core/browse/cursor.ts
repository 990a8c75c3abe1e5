import { Failure } from '../failure.ts';

/**
 * Where a long answer goes on: the snapshots that it is about, so that all pages show the same, and the last row. Opaque to
 * the caller, who hands it back; it carries no more rights than the request that it comes with.
 */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Throws `usage` for anything but a cursor of `length` parts. */
export function decodeCursor(cursor: string, length: number): string[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    parts = undefined;
  }
  if (Array.isArray(parts) && parts.length === length && parts.every((part) => typeof part === 'string')) return parts;
  throw new Failure('usage', '`after` is not a `next` of this command', { advice: 'Omit it to begin with the first row.' });
}
