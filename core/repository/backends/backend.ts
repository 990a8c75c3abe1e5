import type { LockRule } from '../../config/object-lock.ts';
import type { RandomAccess } from '../../manifest/read/random-access.ts';

/** What a listing says about one stored object. */
export interface ObjectInfo {
  /** Path below the repository, components joined by `/`. */
  readonly name: string;
  readonly size: number;
  /** When the object was stored, in milliseconds since 1970. */
  readonly modified: number;
}

/** An object on its way: nobody sees it before `commit`. */
export interface ObjectWriter {
  /** The memory of the bytes is used again for others when it has settled. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the whole object durable and visible under its name; `object_exists` when the name is taken and not to be replaced. */
  commit(): Promise<void>;
  /** Drops what was written; harmless after `commit`. */
  abort(): Promise<void>;
}

/**
 * `new`: the name must be free. `replacing`: the object takes the place of one of that name, if there is any, at once; that is for bytes which are the
 * same as those that were damaged, and for nothing else.
 */
export type WriteMode = 'new' | 'replacing';

/** Until when a store lets nobody delete an object, in milliseconds since 1970, and whom it would let all the same. */
export interface ObjectLock {
  readonly mode: LockRule['mode'];
  readonly until: number;
}

/** The locks of objects, in a place that has such and whose settings ask for them. What is stored there is locked from the beginning. */
export interface ObjectLocks {
  readonly rule: LockRule;
  /** Throws `repository_refused` where the place has no locks. */
  check(): Promise<void>;
  of(name: string): Promise<ObjectLock | 'unlocked' | 'missing'>;
  /** Locks an object for longer; false when it is not there any more. The place refuses to make a lock shorter, and to change its mode. */
  extend(name: string, lock: ObjectLock): Promise<boolean>;
}

/** What a place cannot do that backups have a use for; they work without it. */
export interface Lack {
  readonly what: 'exclusive' | 'versions' | 'locks' | 'durable' | 'replace' | 'space' | 'secrecy';
  /** What follows from it, for people. */
  readonly message: string;
}

/** What stands at the place of a repository: nothing, an empty place, or something. */
export type Occupation = 'absent' | 'empty' | 'occupied';

/**
 * A place that keeps immutable objects by name. Everything above it works with any implementation; each passes the same
 * conformance suite. Names follow `checkObjectName`. Missing objects are `repository_damaged` on `read`, undefined on
 * `size`.
 */
export interface Backend {
  /** Where this is, for messages; never holds a secret. */
  readonly description: string;
  /** Whether each question takes its time: then what is known already is not asked again. */
  readonly isDistant?: true;
  inspect(): Promise<Occupation>;
  /** Makes the place itself, when it is absent. */
  prepare(): Promise<void>;
  create(name: string, mode?: WriteMode): Promise<ObjectWriter>;
  /** `length` bytes from `offset`, or the whole object when both are left out. */
  read(name: string, offset?: number, length?: number): Promise<Buffer>;
  /** The whole object; `repository_damaged` when it is longer than `limit`, of which no more than that is read. */
  readWhole(name: string, limit: number): Promise<Buffer>;
  size(name: string): Promise<number | undefined>;
  /** So many objects a request gives, in the order of their names; undefined where they come in no particular order. */
  readonly pageLength?: number | undefined;
  /** Every object whose name begins with `prefix`. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** The names of the folders directly below `folder`, in no particular order; none when there is no such folder. */
  folders(folder: string): Promise<string[]>;
  /** Removes an object; a missing one is no error. */
  remove(name: string): Promise<void>;
  /**
   * Removes what killed writers of objects outside of any server's folder left behind, and nobody has written to since `before`
   * (milliseconds since 1970). Returns how many there were.
   */
  discardAbandoned(before: number): Promise<number>;
  /**
   * Removes what killed writers left behind of objects below `folder`, that of a server. What is still being written stays. Returns how
   * many there were.
   */
  discardUnfinished(folder: string): Promise<number>;
  /**
   * Removes a folder in which no objects are and that was last changed before `before` (milliseconds since 1970); another is no
   * error. Undefined where a folder is nothing but a part of names.
   */
  readonly removeFolder?: ((folder: string, before: number) => Promise<void>) | undefined;
  /** Bytes that can still be stored, and that fit in all, where the place has such limits; undefined where it does not tell them. */
  readonly space?: (() => Promise<{ free: number; size: number } | undefined>) | undefined;
  /**
   * Proves that objects below a folder can be written, and leaves none: what was begun is dropped. Where nothing may be deleted an unfinished one
   * can stay. Undefined where whoever wants to know looks at the place itself.
   */
  readonly tryWriting?: ((folder: string) => Promise<void>) | undefined;
  /** What the place lacks. `name` is an object that is there: it is tried to be written once more. Undefined where nothing is lacking. */
  readonly lacking?: ((name: string) => Promise<readonly Lack[]>) | undefined;
  /** An object of so many bytes for reading without waiting; `folder` is a private one for what that needs. */
  openDirectly(name: string, length: number, folder: string): RandomAccess;
  /** Says which objects are going to be read whole, in which order, none longer than `limit`; a place that answers at once leaves it out. */
  readonly expectWhole?: ((names: readonly string[], limit: number) => void) | undefined;
  /** Says that all that is in a folder is going to be asked for; a place that answers at once leaves it out. */
  readonly expectAll?: ((folder: string) => void) | undefined;
  /** Has a durable object read from the disk the next time, and not from memory; a place that cannot leaves it out. */
  readonly forgetCached?: ((name: string) => void) | undefined;
  /** Undefined where nothing is locked. */
  readonly locks?: ObjectLocks | undefined;
}

/** A place that is reached over a network. */
export type Store = Omit<Backend, 'openDirectly' | 'expectAll' | 'expectWhole'>;
