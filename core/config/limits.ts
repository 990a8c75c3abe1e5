import { availableParallelism } from 'node:os';
import { DEFAULT_LIMITS } from './defaults.ts';
import type { Settings } from './settings-type.ts';

// More workers than this only wait for the disk, and take the accounts' processors away.
const USUAL_WORKERS = 4;

const BYTES = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** How a backup gives way to the sites, with the defaults for what the setting leaves out. */
export interface Limits {
  /** Most worker threads at once. */
  readonly workers: number;
  /** 0 to 19, as for nice(1). */
  readonly nice: number;
  readonly ioClass: 'best-effort' | 'idle';
  /** 0 to 7 inside `best-effort`, 7 being the lowest. */
  readonly ioLevel: number;
  /** Bytes a second; undefined: no limit. */
  readonly readRate: number | undefined;
  readonly sendRate: number | undefined;
  /** Requests at once to a distant repository; undefined: as many as its kind of place takes well. */
  readonly connections: number | undefined;
  /** The load of the last minute above which a backup pauses; undefined: none. */
  readonly load: number | undefined;
  /** Minutes that a backup waits for another one. */
  readonly wait: number;
  /** A duration: how long after a backup of an account its owner may ask for the next. */
  readonly ownerInterval: string;
  /** Between 0 and 1: how much of the room for backups one that an owner asked for may take, and how much all of them leave free. */
  readonly ownerShare: number;
  /** A duration: how long the file of a download stays. */
  readonly downloadsFor: string;
}

/** The limits in force. */
export function limitsOf({ limits }: Pick<Settings, 'limits'>): Limits {
  const { readRate, sendRate, connections, load, ...rest } = limits;
  return {
    workers: Math.min(USUAL_WORKERS, availableParallelism()),
    ...DEFAULT_LIMITS,
    ...rest,
    readRate: readRate === undefined ? undefined : bytesPerSecond(readRate),
    sendRate: sendRate === undefined ? undefined : bytesPerSecond(sendRate),
    connections,
    load,
  };
}

/** `50 MiB/s` as a number; the schema has seen to the form. */
function bytesPerSecond(text: string): number {
  const [, number, unit] = /^(\d+) ?([KMG]iB)/.exec(text) as unknown as [string, string, keyof typeof BYTES];
  return Number(number) * BYTES[unit];
}
