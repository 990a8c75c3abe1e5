import type { Notify } from '../context/notice.ts';
import type { Backend } from './backends/backend.ts';
import type { IdentityProblem, RepositoryIdentity } from './identity.ts';
import { Signatures } from './signatures/signatures.ts';

/** A repository, where a machine looks for who it is. */
export interface Place {
  readonly backend: Backend;
  readonly repository: RepositoryIdentity;
  /** What is remembered of this place. */
  readonly stateFolder: string;
  /** What is remembered of the repository, wherever it is: who this machine is there, with which keys, and whom it believes. */
  readonly whoFolder: string;
  readonly notify: Notify;
  /** How much recovery data is stored beside each object, in percent of it; undefined: none. */
  readonly recovery?: number | undefined;
  /** What is wrong with `repository.json`: then `repository` is what it should say. */
  readonly problem?: IdentityProblem | undefined;
  /** Who signs, and whose signatures are taken. */
  readonly signatures: Signatures;
}

export function placeOf(given: Omit<Place, 'signatures' | 'whoFolder'> & Partial<Pick<Place, 'whoFolder'>>): Place {
  const place = { whoFolder: given.stateFolder, ...given };
  return { ...place, signatures: new Signatures({ ...place, stateFolder: place.whoFolder }) };
}
