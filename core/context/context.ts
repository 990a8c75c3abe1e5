import type { Settings } from '../config/settings.ts';
import type { DatabaseExport } from './database-export.ts';
import type { Notice } from './notice.ts';

/** How far a long operation is. May be told at any time; the front ends see to it that it is not shown too often. */
export interface Progress {
  readonly phase: string;
  readonly unit: string;
  /** Which one of how many it is, where there can be several. */
  readonly unitNumber?: number;
  readonly unitCount?: number;
  readonly entries: number;
  /** May be an estimate. Undefined while nobody can know. */
  readonly entriesTotal?: number;
  /** Bytes of file content handled. */
  readonly bytes: number;
  readonly bytesTotal?: number;
  /** Whether the entries alone tell how long it will take. */
  readonly byEntries?: boolean;
}

/** Where a command tells about itself while it works. The front ends (cli, rpc) decide what becomes of it. */
export interface Reporter {
  progress(progress: Progress): void;
  log(notice: Notice): void;
}

/** Where the load of the machine comes from. */
export interface Machine {
  /** The load of the last minute. */
  load(): number;
  /** Resolves after so many milliseconds, or when the signal is raised. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Who reads an archive while it is made. */
export interface ArchiveReader {
  /** Settles when the bytes can be used again. */
  write(bytes: Buffer): Promise<void>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

/** What every command gets. */
export interface Context {
  readonly settings: Settings;
  /** Settings that stand wrong in the file, where the command goes on without them; undefined: none. */
  readonly unusable?: ReadonlyMap<string, string>;
  /** The settings file that was named; undefined: the usual one. */
  readonly settingsFile?: string | undefined;
  readonly reporter: Reporter;
  /** The descriptor of the standard input, where a key may be read from it; undefined where requests come by it. */
  readonly standardInput?: number | undefined;
  /** Where an archive goes that no folder is named for; undefined where nobody reads one. */
  readonly archiveOutput?: ArchiveReader | undefined;
  /** The present time; tests let months pass. */
  readonly now: () => Date;
  /** Where the load comes from; undefined: this machine. Tests let others work. */
  readonly machine?: Machine;
  /** The panel's export of databases for this run, made before the process gave up rights; undefined where it was not wanted. */
  readonly databaseExport?: DatabaseExport | undefined;
  /** Aborted on SIGTERM, SIGINT or a lost peer; a command then stops at the next safe point with `cancelled`. */
  readonly signal: AbortSignal;
}
