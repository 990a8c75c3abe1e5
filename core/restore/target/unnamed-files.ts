import { closeDescriptor, nameUnnamed, openUnnamed } from '../../linux/files.ts';
import { errorCode } from '../../linux/system-error.ts';
import { stagedName } from './names.ts';
import { discard } from './publish.ts';

const PRIVATE = 0o600;

/**
 * Whether the file system of a staging folder makes files without a name and gives them one afterwards. Overlays do since Linux 6.3,
 * network file systems do not.
 */
export function takesUnnamedFiles(staging: number): boolean {
  const descriptor = openUnnamed(staging, PRIVATE);
  if (descriptor === undefined) return false;
  const name = stagedName();
  try {
    return nameUnnamed(descriptor, staging, name);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  } finally {
    closeDescriptor(descriptor);
    discard(staging, name);
  }
}
