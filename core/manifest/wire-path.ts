import { Failure } from '../failure.ts';
import type { ByteString } from './entry.ts';

/** A path in JSON: text, and beside it the exact bytes in base64 where these are not UTF-8. */
export interface WirePath {
  /** Bytes that are not UTF-8 are replaced by U+FFFD. */
  readonly path: string;
  /** Only where `path` is not exact; it wins over `path`. */
  readonly path_b64?: string;
}

/** The form in which a path leaves the program in JSON. */
export function toWirePath(path: ByteString): WirePath {
  const bytes = Buffer.from(path, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? { path: text } : { path: text, path_b64: bytes.toString('base64') };
}

/** The same of a path inside a backup: slashes at its ends, and one too many between, mean nothing. Empty for the top. */
export function fromTreePath(wire: string | WirePath): ByteString {
  return fromWirePath(wire)
    .replace(/\/{2,}/g, '/')
    .replace(/^\/|\/$/g, '');
}

/** The bytes that a path in JSON means. Throws `usage` for a NUL byte, at which the system would cut the path. */
export function fromWirePath(wire: string | WirePath): ByteString {
  const { path, path_b64 }: WirePath = typeof wire === 'string' ? { path: wire } : wire;
  const bytes = path_b64 === undefined ? Buffer.from(path, 'utf8') : Buffer.from(path_b64, 'base64');
  if (bytes.includes(0)) throw new Failure('usage', 'a path cannot hold a NUL byte', { affected: [path] });
  return bytes.toString('latin1');
}
