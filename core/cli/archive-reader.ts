import type { Writable } from 'node:stream';
import type { ArchiveReader } from '../context/context.ts';
import { Failure } from '../failure.ts';

/** An archive on the standard output. Throws `usage` when that is a terminal. */
export function archiveReader(stdout: Writable & { readonly isTTY?: boolean }): ArchiveReader {
  if (stdout.isTTY === true) {
    throw new Failure('usage', 'an archive is nothing for a terminal', {
      advice: 'Lead it to a file or a program, or name a folder with --to.',
    });
  }
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stdout.write(bytes, (error) =>
          error ? reject(new Failure('io_error', 'nobody reads the archive any more', { cause: error })) : resolve(),
        );
      }),
    finish: async () => {},
    abandon: async () => {},
  };
}
