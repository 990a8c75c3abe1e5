import { closeDescriptor, openAt, unlinkAt } from '../../linux/files.ts';
import { O_CREAT, O_EXCL, O_WRONLY } from '../../linux/flags.ts';
import { setMode, setOwner } from '../../linux/metadata.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import { stagedName } from '../target/names.ts';

const SOMEBODY = 1;
const SOME_MODE = 0o640;
/** How a file system says that it never does this. */
const REFUSALS = new Set(['EPERM', 'EACCES', 'EINVAL', 'ENOSYS', 'EOPNOTSUPP']);
const NONE: ForcedAttributes = { owners: false, modes: false };

const stat = new StatBuffer();

/** What a target gives to everything by itself, whatever is asked for: CIFS, NFS with root squashed, FUSE. */
export interface ForcedAttributes {
  readonly owners: boolean;
  readonly modes: boolean;
}

/** Tries with a file of its own in a staging folder whether owners and modes are taken; what cannot be tried is not forced. */
export function forcedAttributes(staging: number): ForcedAttributes {
  try {
    return probe(staging);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return NONE;
  }
}

function probe(staging: number): ForcedAttributes {
  const name = stagedName();
  const descriptor = openAt(staging, name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  try {
    for (const change of [() => setOwner(descriptor, SOMEBODY, SOMEBODY), () => setMode(descriptor, SOME_MODE)]) {
      try {
        change();
      } catch (error) {
        if (!REFUSALS.has(errorCode(error) ?? '')) throw error;
      }
    }
    statDescriptor(descriptor, stat);
    return { owners: stat.uid !== SOMEBODY || stat.gid !== SOMEBODY, modes: stat.mode !== SOME_MODE };
  } finally {
    closeDescriptor(descriptor);
    unlinkAt(staging, name);
  }
}
