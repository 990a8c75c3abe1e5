import { asFailure } from '../failure.ts';
import type { DocumentKind } from '../repository/documents.ts';
import { revealStored } from '../repository/keys/sealed-members.ts';
import type { SealedMembers } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { isForOthers } from './locked-contents.ts';

/**
 * Opens what is sealed in a document, as it is stored, where a key here does that. Throws `repository_damaged` when it cannot be opened, or is not what
 * belongs there.
 */
export async function checkSealed<T extends { readonly sealed?: SealedMembers }>(
  kind: DocumentKind<T>,
  name: string,
  value: T,
  { keys }: Pick<Repository, 'keys'>,
): Promise<void> {
  try {
    await revealStored(kind, name, value, keys);
  } catch (error) {
    if (!isForOthers(asFailure(error))) throw error;
  }
}
