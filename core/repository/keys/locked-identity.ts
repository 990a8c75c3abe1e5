import { createHash } from 'node:crypto';
import { HEADER_LIMIT } from '../../crypto/header.ts';
import { isLocked } from '../../crypto/identity.ts';
import type { Backend } from '../backends/backend.ts';

/**
 * What is wrong with an identity in the repository that a passphrase opens, in words; undefined when nothing is. Without `sha256`, which older key records lack,
 * nobody can say more without the passphrase than that it looks like one.
 */
export async function lockedProblem(backend: Backend, name: string, sha256: string | undefined): Promise<string | undefined> {
  const size = await backend.size(name);
  if (size === undefined) return `${name} is missing, without which the passphrase opens nothing`;
  const bytes = size > HEADER_LIMIT ? undefined : await backend.read(name);
  if (bytes === undefined || !isLocked(bytes)) return `${name} is no identity that a passphrase locks`;
  if (sha256 === undefined || createHash('sha256').update(bytes).digest('hex') === sha256) return undefined;
  return `${name} is not what was stored: the passphrase may open nothing`;
}
