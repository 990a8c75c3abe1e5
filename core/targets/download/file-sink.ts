import { closeSync, constants, fsyncSync } from 'node:fs';
import type { ByteSink } from '../../archive/archive-output.ts';
import { Failure } from '../../failure.ts';
import { openAt, renameAt, syncNames, unlinkAt } from '../../linux/files.ts';
import { setOwner } from '../../linux/metadata.ts';
import { writeAllAsync } from '../../linux/write-all.ts';
import type { ByteString } from '../../manifest/entry.ts';

const PRIVATE = 0o600;
const { O_CREAT, O_EXCL, O_WRONLY } = constants;

/** Where an archive goes. Exactly one of `finish` and `abandon` ends it. */
export interface Destination {
  readonly write: ByteSink;
  /** The archive is whole. */
  finish(): Promise<void>;
  /** It is not: what is written of it must not pass for one. `isLost` when nobody takes it any more. */
  abandon(): Promise<void>;
}

/** What is not whole yet has this behind its name. */
export const UNFINISHED = '.part';

/**
 * A new file in an open folder, which gets its name when it is whole. It is `owner`'s and nobody else can read it. Beyond `room` bytes it
 * fails with `disk_full`: quotas do not hold root on every file system.
 */
export function fileIn(
  folder: number,
  name: ByteString,
  {
    owner,
    room = Number.POSITIVE_INFINITY,
  }: { readonly owner?: { readonly uid: number; readonly gid: number } | undefined; readonly room?: number | undefined },
): Destination {
  const unfinished = `${name}${UNFINISHED}`;
  const descriptor = openAt(folder, unfinished, O_CREAT | O_EXCL | O_WRONLY, PRIVATE);
  let isOpen = true;
  let named = unfinished;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    closeSync(descriptor);
  };
  const drop = (): void => {
    try {
      close();
    } finally {
      unlinkAt(folder, named);
    }
  };
  try {
    if (owner !== undefined) setOwner(descriptor, owner.uid, owner.gid);
  } catch (error) {
    drop();
    throw error;
  }
  let left = room;
  return {
    async write(bytes) {
      left -= bytes.length;
      if (left < 0) {
        throw new Failure('disk_full', 'the archive is larger than what the quota of the account leaves', {
          advice: 'Choose fewer paths, or delete something first.',
        });
      }
      await writeAllAsync(descriptor, bytes);
    },
    async finish() {
      fsyncSync(descriptor);
      close();
      renameAt(folder, unfinished, folder, name, true);
      named = name;
      // What is said to be there is there after a power failure, too.
      syncNames(folder);
    },
    async abandon() {
      drop();
    },
  };
}
