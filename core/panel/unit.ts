import type { ByteString } from '../manifest/entry.ts';
import type { ScanRoot } from '../scan/walk/scan-roots.ts';

/** A root that should be there and is not. */
export interface MissingRoot {
  readonly path: string;
  /** Why, in words that follow its name. */
  readonly reason: string;
}

/** What is backed up and restored as one. */
export interface PanelUnit {
  /** `site12` or `system`. */
  readonly name: string;
  /** Differs between two accounts that had the same name one after the other. */
  readonly incarnation: string;
  readonly domain: string | null;
  readonly adminUser: string | null;
  /** Why nobody can tell today whose an account is, in words; undefined else. */
  readonly untold?: string;
  readonly roots: readonly ScanRoot[];
  /** Paths in the snapshot that are always excluded, with all below them. */
  readonly excluded: readonly ByteString[];
  /** Roots that should be there and are not. An account without any root is a ghost: only its folder is left. */
  readonly missing: readonly MissingRoot[];
  /** Links that lead to where the account really is and were followed, in words. */
  readonly followed: readonly string[];
  /** Where an account's folder really is; undefined for `system`. */
  readonly folder: ByteString | undefined;
}

/** Where the panel's files are; part of the settings. */
export interface PanelPlaces {
  readonly accountsRoot: string;
  readonly systemRoot: string;
}

/** A path of the settings, which are UTF-8, as the bytes that the kernel sees. */
export function pathBytes(path: string): ByteString {
  return Buffer.from(path, 'utf8').toString('latin1');
}
