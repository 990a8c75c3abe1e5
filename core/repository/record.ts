import type { Level, SnapshotLink } from '../chain/snapshot.ts';

/** The version of everything below a repository; a reader refuses a newer one and keeps fields that it does not know. */
export const FORMAT_VERSION = 1;

/** A stored object, so that a swapped, cut or missing one is found before anything is restored from it. */
export interface ObjectReference {
  /** Path below the server's folder. */
  readonly path: string;
  /** In bytes. */
  readonly length: number;
  /** SHA-256 of the whole object as it is stored, hexadecimal. */
  readonly sha256: string;
  /** The id of the key record that says for whom it is encrypted; undefined of a plain object. */
  readonly keys?: string;
}

export interface ManifestReference extends ObjectReference {
  /** Of an encrypted one: length and SHA-256 of the manifest itself. */
  readonly content?: { readonly length: number; readonly sha256: string };
  /** The index inside the manifest, so that one path can be read without reading the whole manifest. */
  readonly index: { readonly offset: number; readonly length: number; readonly sha256: string };
}

/** What the manifest itself is, whether it is stored encrypted or not, and where it is stored. */
export function plainManifest({
  path,
  length,
  sha256,
  content,
  index,
}: ManifestReference): Pick<ManifestReference, 'path' | 'length' | 'sha256' | 'index'> {
  return { path, length, sha256, ...content, index };
}

/** Members of a JSON object that only those may read whom a key record names; in clear they are empty, null or missing. */
export interface SealedMembers {
  /** The id of the key record. */
  readonly keys: string;
  /** An age file in base64: JSON with `name`, the object's own name, and `members`. */
  readonly age: string;
}

/** Something that went wrong with one entry, kept in the snapshot. */
export interface Warning {
  /** A `FailureCode`. */
  readonly code: string;
  readonly message: string;
  /** The path with bytes that are not UTF-8 replaced. */
  readonly path?: string;
  /** The exact path bytes, base64; only when `path` had to be changed. */
  readonly path_b64?: string;
}

/** A tree of a snapshot, and where it was. */
export interface RecordedRoot {
  readonly name: string;
  readonly source: string;
  /** The lasting id of the file system that it lay on. */
  readonly fileSystem?: string;
  /** Whether that file system was mounted there and nowhere above. */
  readonly mounted?: boolean;
  /** Inode and birth of its directory, `<inode>-<nanoseconds since 1970>`; missing where births are unknown. A copy by blocks keeps both. */
  readonly born?: string;
}

/** The device number that a file system has in the manifests of a chain, whatever the kernel calls it later. */
export interface RecordedDevice {
  readonly major: number;
  readonly minor: number;
  /** The lasting id of the file system (core/linux/file-system.ts). */
  readonly fileSystem: string;
}

/** The rules by which a run left things out. */
export interface ExcludedThen {
  /** Paths in the snapshot that were excluded with all below them. */
  readonly paths: readonly string[];
  /** Patterns of the settings, in their order. */
  readonly patterns: readonly string[];
  /** Live files of database servers that are among `paths`, where there were any. */
  readonly rawDatabases?: readonly RecordedRawDatabases[];
}

/** A folder of live database files, copies of which could not be restored. */
export interface RecordedRawDatabases {
  readonly path: string;
  readonly engine: 'mysql' | 'postgresql';
  /** The dumps below `databases`, the panel's export in the account's home, or nothing. */
  readonly replacedBy: 'dumps' | 'panel' | null;
}

/** A database of a snapshot, and how its dump came about. */
export interface RecordedDatabase {
  readonly engine: 'mysql' | 'postgresql';
  readonly name: string;
  /** Where its dump stands in the snapshot. */
  readonly path: string;
  /** `failed`: there is no dump of this run; what the snapshot has there, if anything, is an earlier one. */
  readonly result: 'ok' | 'failed';
  /** The server's version, as it says it. */
  readonly server: string;
  readonly characterSet: string;
  readonly collation: string;
  /** Of the dump, in bytes. Null when it failed, and so are the next three. */
  readonly size: number | null;
  /** SHA-256 of the dump, hexadecimal. */
  readonly sha256: string | null;
  /** Tables whose rows the dump has, and these rows, counted in it. */
  readonly tables: number | null;
  readonly rows: number | null;
  /** What made the dump of one moment: a transaction, or a lock on the tables, where some know no transactions. */
  readonly consistency: 'snapshot' | 'locked' | null;
  /** What the dump does not have, because it could not be dumped: the first of it. None: the dump has all. */
  readonly leftOut?: readonly { readonly kind: string; readonly name: string; readonly reason: string }[];
  /** How a database of PostgreSQL compares and sorts texts, which no dump of it says. */
  readonly locale?: RecordedLocale;
  /** That moment, RFC 3339 UTC: when the dump began. */
  readonly at: string;
  /** How long the dump took. */
  readonly seconds: number;
  /** How long after that moment the reading of the files began. */
  readonly secondsBeforeFiles: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** By which library, and by which of its rules. */
export interface RecordedLocale {
  readonly provider: 'libc' | 'icu' | 'builtin';
  /** Which signs are letters: the operating system's name of a locale. */
  readonly ctype: string;
  /** The locale of ICU or of the server itself; of the operating system `collation` is that. */
  readonly name?: string;
  /** Further rules of ICU. */
  readonly rules?: string;
}

/** Whether a snapshot has all that its run should have stored. */
export function isComplete({ complete, warningCount }: Pick<SnapshotRecord, 'complete' | 'warningCount'>): boolean {
  return complete ?? warningCount === 0;
}

/** The tree in which a snapshot has the dumps of databases: no folder of the server. */
const DATABASES_TREE = 'databases';

/** The names of the trees that snapshots are of: what their manifests have elsewhere is no entry of theirs. */
export function treesOf(records: readonly Pick<SnapshotRecord, 'roots'>[]): string[] {
  return [...new Set([DATABASES_TREE, ...records.flatMap(({ roots }) => roots.map(({ name }) => name))])];
}

/** The commit of one snapshot: the snapshot exists when this object does. */
export interface SnapshotRecord {
  readonly formatVersion: number;
  readonly id: string;
  readonly repository: string;
  readonly server: string;
  readonly unit: string;
  /** The unit's name on the server when this was made: `site12` or `system`. */
  readonly name: string;
  readonly level: Level;
  /** A full that was made from what the repository already held. */
  readonly synthetic: boolean;
  /** Why this level was taken, in a sentence. */
  readonly reason: string;
  /** When the scan began and when the record was written, RFC 3339 UTC. */
  readonly time: string;
  readonly finished: string;
  /** The snapshot that the scan compared with, null for a plain full. */
  readonly parent: SnapshotLink | null;
  /** The full that a differential or incremental builds on, null for a full. */
  readonly base: SnapshotLink | null;
  /** The top folders of the manifest and where they lay on the server. */
  readonly roots: readonly RecordedRoot[];
  /** Which file systems the device numbers of the entries mean, as far as they can be told. */
  readonly devices?: readonly RecordedDevice[];
  readonly counts: {
    /** Entries of the whole point in time. */
    readonly entries: number;
    readonly changed: number;
    readonly deleted: number;
  };
  readonly bytes: {
    /** File sizes of the whole point in time. */
    readonly total: number;
    readonly read: number;
    /** Added to the repository by this snapshot: packs and manifest. */
    readonly stored: number;
  };
  readonly manifest: ManifestReference;
  /** Every pack that the entries of this manifest point at, in the order in which tar should extract them. */
  readonly packs: readonly ObjectReference[];
  /** The first `WARNING_LIMIT` warnings; `warningCount` counts them all. */
  readonly warnings: readonly Warning[];
  readonly warningCount: number;
  /**
   * Whether the run saw and stored all that it should have: false when anything was not seen or not read, or content or attributes
   * are missing. Older records do not have it; `isComplete` tells of all.
   */
  readonly complete?: boolean;
  /** What the run excluded by the rules of its time; older records do not have it. */
  readonly excluded?: ExcludedThen;
  /** The databases that this run dumped, or should have; older records do not have it. */
  readonly databases?: readonly RecordedDatabase[];
  readonly exporters: readonly unknown[];
  readonly tool: { readonly name: string; readonly version: string };
  /** Has `roots`, `devices`, `warnings`, `excluded`, `exporters` and `databases`, where the repository is encrypted. */
  readonly sealed?: SealedMembers;
}
