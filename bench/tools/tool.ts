import type { Command } from '../measure.ts';

export type Operation =
  | 'full'
  | 'unchanged'
  | 'changed'
  | 'differential'
  | 'restoreFile'
  | 'restoreAccount'
  | 'restoreAll'
  | 'list'
  | 'repair'
  | 'prune';

/** What an operation works on besides the accounts and the tool's own folder. */
export interface Details {
  /** Where to restore to; does not exist yet. */
  readonly target: string;
  /** `site7`, of the operations that restore one account or one file. */
  readonly account: string;
  /** A file that names, a line each, the files below the accounts that the last day wrote. */
  readonly changedPaths: string;
}

/** Where a tool works. */
export interface Place {
  readonly accountsRoot: string;
  readonly accounts: readonly string[];
  /** The tool's own, on the same disk as the accounts. */
  readonly folder: string;
}

/** The commands of an operation; what is done before they are returned is not measured. */
export type Commands = (details: Details) => readonly Command[] | Promise<readonly Command[]>;

/** A backup program, set up to back up one accounts root. */
export interface Tool {
  /** What it stores; the growth of this folder or file is what an operation stored. */
  readonly repository: string;
  /** Makes the repository new and empty; not measured. */
  reset(): Promise<void>;
  /** What the tool lacks is missing. */
  readonly operations: Readonly<Partial<Record<Operation, Commands>>>;
  /** The most times that it does a step, where it takes so long that more would keep the others waiting; undefined: as often as they. */
  readonly mostRounds?: number;
  /** Where a restore of `account` to `target` puts the account's folder. */
  restoredAccount(target: string, account: string): string;
}

/** A kind of backup program, which works at such a place. */
export interface ToolKind<At extends Place = Place> {
  readonly name: string;
  /** How it was set up, where that matters to a comparison. */
  readonly note: string;
  /** What must be on PATH, and the Debian package that brings it. */
  readonly needs: Readonly<Record<string, string>>;
  /** The arguments with which the first of `needs` tells its version. */
  readonly versionArguments?: readonly string[];
  at(place: At): Tool;
}
