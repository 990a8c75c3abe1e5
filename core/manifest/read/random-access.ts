import { Failure } from '../../failure.ts';

/** Bytes that can be read anywhere: a local file, an object in memory. Owned by whoever opened it. */
export interface RandomAccess {
  readonly size: number;
  /** Open on a file that holds exactly these bytes, where there is one: threads share descriptors and nothing else. */
  readonly descriptor?: number;
  /** Where that file has only what was read so far: has a stretch of it in the file. */
  fill?(offset: number, length: number): void;
  /** Set when that file has these bytes encrypted: its length, and what is needed to read it (core/crypto). */
  readonly sealed?: SealedFile;
  /** A copy that should have the same bytes, for what turns out to be damaged here. */
  readonly spare?: Spare;
  /** Exactly `length` bytes from `offset`; throws `repository_damaged` when there are fewer. */
  read(offset: number, length: number): Buffer;
  close(): void;
}

/** A file in which bytes are encrypted. */
export interface SealedFile {
  /** Of the file, in bytes. */
  readonly size: number;
  /** Where the encrypted content begins, and its key. */
  readonly key: { readonly start: number; readonly key: Uint8Array };
}

/** A second source of the same bytes. */
export interface Spare {
  readonly access: RandomAccess;
  /** Called with what is wrong with the first source, when the copy had what was needed. */
  readonly used: (failure: Failure) => void;
}

/** The same bytes, with a second source of them that goes with the first. */
export function withSpare(access: RandomAccess, spare: Spare): RandomAccess {
  return {
    size: access.size,
    ...(access.descriptor === undefined ? {} : { descriptor: access.descriptor }),
    ...(access.sealed === undefined ? {} : { sealed: access.sealed }),
    ...(access.fill === undefined ? {} : { fill: access.fill.bind(access) }),
    spare,
    read: (offset, length) => access.read(offset, length),
    close: () => closeEach([access, spare.access]),
  };
}

/**
 * The end of a range inside something of `size` bytes, to its end when no length is given. Throws `repository_damaged` when it is too
 * short for that, before anything of that length is allocated.
 */
export function exactRange(name: string, size: number, offset: number, length = size - offset): number {
  if (offset < 0 || length < 0 || offset + length > size) {
    const message = `${name} has ${size} bytes, too few for ${length} from ${offset}`;
    throw new Failure('repository_damaged', message, { affected: [name] });
  }
  return offset + length;
}

/** Opens one of each, all or none: what is open already is closed when the next one fails. */
export async function openEach<T>(all: readonly T[], open: (one: T) => Promise<RandomAccess>): Promise<readonly RandomAccess[]> {
  const opened: RandomAccess[] = [];
  try {
    for (const one of all) opened.push(await open(one));
    return opened;
  } catch (error) {
    closeEach(opened);
    throw error;
  }
}

export function closeEach(opened: readonly RandomAccess[]): void {
  for (const access of opened) access.close();
}
