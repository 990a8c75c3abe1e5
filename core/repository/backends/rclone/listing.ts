import { Failure } from '../../../failure.ts';

/** What `rclone lsjson` tells of an entry. */
export interface Listed {
  /** Below the folder that was listed. */
  readonly Path: string;
  /** The last component of that. */
  readonly Name: string;
  /** In bytes; -1 where the place does not say. */
  readonly Size: number;
  /** RFC 3339. */
  readonly ModTime: string;
  readonly IsDir: boolean;
}

/** The entries that `rclone lsjson` printed, or with `--stat` the one; undefined where it says that there is none. Throws `repository_unreachable` for anything else. */
export function parseListing(output: Buffer, what: string): Listed[] | undefined {
  let found: unknown;
  try {
    found = JSON.parse(output.toString('utf8'));
  } catch (cause) {
    throw noListing(what, cause);
  }
  if (found === null) return undefined;
  const entries = Array.isArray(found) ? found : [found];
  if (!entries.every(isListed)) throw noListing(what);
  return entries;
}

/** A time that is none would count as long ago, and what is being written now as abandoned. */
function isListed(entry: unknown): entry is Listed {
  const { Path, Name, Size, ModTime, IsDir } = (entry ?? {}) as Partial<Record<keyof Listed, unknown>>;
  return (
    typeof Path === 'string' &&
    typeof Name === 'string' &&
    Name !== '..' &&
    !/[/\0]/.test(Name) &&
    Number.isSafeInteger(Size) &&
    typeof ModTime === 'string' &&
    !Number.isNaN(Date.parse(ModTime)) &&
    typeof IsDir === 'boolean'
  );
}

function noListing(what: string, cause?: unknown): Failure {
  return new Failure('repository_unreachable', `${what}: rclone answered with something that is no listing`, {
    affected: [what],
    advice: 'Try `rclone lsjson` on the same remote.',
    retry: true,
    cause,
  });
}
