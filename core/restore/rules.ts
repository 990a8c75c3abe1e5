import type { FailureCode } from '../failure.ts';
import { asFailure } from '../failure.ts';
import type { StatBuffer } from '../linux/stat.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { OwnerMap } from './owner/owner-map.ts';
import type { OwnerRights } from './owner/owner-rights.ts';
import type { ExcludeData, Excluded } from './plan/exclude-rules.ts';

/** What happens to an entry that is already there: replaced; replaced where it differs; left alone. */
export type Overwrite = 'always' | 'changed' | 'never';

/** How a restore treats what it finds on the target. */
export interface WriteRules {
  readonly overwrite: Overwrite;
  /** Whether a directory with entries may go where the snapshot has no directory. */
  readonly removeDirectories: boolean;
  /** What is never removed, nor any directory that holds it. */
  readonly exclude: Excluded;
  /** Of a restore for an account's owner: what that one may have. */
  readonly owner: OwnerRights | undefined;
  /** Of an administrator's restore of an account: its users. A directory of anybody else is not given away. */
  readonly accountUsers?: ReadonlySet<number> | undefined;
  /** Who gets what belonged to whom in the snapshot; undefined: its ids are those of this server. */
  readonly owners?: OwnerMap | undefined;
  /** Hears how many entries went with a directory that had to make room for something else. */
  readonly onCleared?: (entries: number) => void;
}

/** What is never removed: what the backup excludes, and for owners what they could not remove. */
export type RemovalRules = Pick<WriteRules, 'exclude' | 'owner'>;

/** The rules as they are sent to a writing thread. */
export interface RulesData extends Omit<WriteRules, 'exclude' | 'onCleared'> {
  readonly exclude: ExcludeData;
}

/** Something that one entry did not get. */
export interface Problem {
  readonly code: FailureCode;
  readonly message: string;
  readonly path: ByteString;
}

/** Learns which inode an entry with several names became; what it is given is good until it returns. */
export type Witness = (status: StatBuffer) => void;

/** Hears of each problem as it is found. */
export type Report = (problem: Problem) => void;

/** What was thrown while `path` was restored, as its problem. */
export function problemOf(path: ByteString, thrown: unknown): Problem {
  const { code, message } = asFailure(thrown);
  return { code, message, path };
}

/** Codes that say of a file that the repository does not give its content: it cannot be had under another name either. */
const LACK_OF_CONTENT: ReadonlySet<FailureCode> = new Set(['content_missing', 'digest_mismatch', 'repository_damaged']);

export function isLackOfContent(thrown: unknown): boolean {
  return LACK_OF_CONTENT.has(asFailure(thrown).code);
}

/** Hears of each attribute that the target did not take; the entry itself is kept. */
export type Refusal = (what: ByteString, reason: unknown) => void;

/** Turns refused attributes of `path` into problems. */
export function refusalsOf(path: ByteString, report: Report): Refusal {
  return (what, reason) => {
    const cause = reason instanceof Error ? reason.message : String(reason);
    report({ code: 'attribute_refused', message: `${what}: ${cause}`, path });
  };
}
