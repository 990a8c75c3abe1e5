import { Failure } from '../failure.ts';
import type { ObjectWriter } from '../repository/backends/backend.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { LogLink } from '../repository/run-record.ts';
import type { Copied } from './copied.ts';

/** What writes an object at some rate. */
export type Throttle = (writer: ObjectWriter) => ObjectWriter;

/** How objects are copied. */
export interface CopyWork {
  readonly copied: Copied;
  readonly throttle: Throttle;
  readonly signal: AbortSignal;
}

/** Brings objects of a server from one place to another, in the same bytes or in others. Paths are below the server's folder, as the source has them. */
export interface Copier {
  readonly source: Repository;
  readonly target: Repository;
  /** What is in the source, with its length. */
  readonly inSource: ReadonlyMap<string, number>;
  /** The paths of what is in the target. */
  readonly inTarget: Iterable<string>;
  /** Whether the copy says itself what it has, whatever the source says of that. */
  readonly speaksForItself: boolean;
  /** So many records of runs can be under way at once. */
  readonly runsAtOnce: number;
  /** To be called before anything of a unit. */
  beginUnit(unit: string): Promise<void>;
  /** Whether the target has an object as it should be, or is not to have it. */
  has(path: string): boolean;
  /** Copies a document that belongs to no snapshot, if it is not there. Throws `repository_damaged` when it is not the server's. */
  document(path: string): Promise<void>;
  /** Copies what a snapshot needs besides what it builds on, and then its record. Throws what makes it unusable. */
  snapshot(record: SnapshotRecord): Promise<void>;
  /** The link by which the target names the record of a run. */
  linkThere(link: LogLink): LogLink;
  /** Removes from the target what the source does not have any more. */
  remove(path: string): Promise<void>;
}

/** Objects under way at once: a long way costs little then. */
export const AT_ONCE = 4;

/** What is in a server's folder, with its length. */
export async function lengths(repository: Repository): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { name, size } of repository.listObjects('')) found.set(name, size);
  return found;
}

/** Throws `cancelled` when the copy is to stop: what was copied is there, and the next one goes on behind it. */
export function checkCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new Failure('cancelled', 'the copy was stopped; the next one goes on');
}
