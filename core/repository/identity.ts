import type { Failure } from '../failure.ts';
import type { SealedMembers } from './record.ts';

/** `repository.json`: says that this is a repository, of which format, and which one. */
export interface RepositoryIdentity {
  readonly formatVersion: number;
  readonly id: string;
  /** RFC 3339 UTC. */
  readonly created: string;
  /** For whom it was to be encrypted when it was made (`age1…`): what a server begins with that is not told anything else. */
  readonly recipients?: readonly string[];
}

/** What is wrong with `repository.json`, and by what it can be written anew. */
export interface IdentityProblem {
  readonly failure: Failure;
  readonly from: 'state-directory' | 'other-objects';
  /** It is there and valid, and says something else than when this machine met it: only a person has it written anew. */
  readonly isChanged: boolean;
}

/** `server.json`: one machine that writes below its own folder. */
export interface ServerIdentity {
  readonly formatVersion: number;
  readonly repository: string;
  readonly server: string;
  /** The host name when the server first wrote here, for people. */
  readonly name: string;
  /** `machineDigest` of the machine, by which it finds its folder again when its state is lost. */
  readonly machine: string;
  /** The digest of its hardware's number, where there is one. */
  readonly product?: string;
  /** The id of the repository of which this is a copy for recipients of its own. */
  readonly copyOf?: string;
  readonly created: string;
}

/** From `created` on this machine writes below a server's folder, and no other. */
export interface MachineRecord {
  readonly formatVersion: number;
  readonly id: string;
  readonly repository: string;
  readonly server: string;
  readonly name: string;
  readonly machine: string;
  readonly product?: string;
  /** The objects without a signature that the server had when it began to sign: others are refused. */
  readonly adopted?: readonly AdoptedObject[];
  /** Public keys (raw, base64) of the server that nothing else names: what did was missing or damaged. */
  readonly formerKeys?: readonly string[];
  readonly created: string;
}

/** An object that was stored before its server signed what it writes. */
export interface AdoptedObject {
  /** Below the server's folder. */
  readonly path: string;
  readonly sha256: string;
}

/** What says which account a unit is, apart from its name, which is given again after a deletion. */
export interface UnitSubject {
  /** `site12` or `system`. */
  readonly name: string;
  /** Differs between two accounts that had the same name one after the other. */
  readonly incarnation: string;
  readonly domain: string | null;
  readonly adminUser: string | null;
}

/** `unit.json`: one incarnation of a unit. */
export interface UnitIdentity extends UnitSubject {
  /** Has `domain` and `adminUser`, where the repository is encrypted. */
  readonly sealed?: SealedMembers;
  readonly formatVersion: number;
  readonly repository: string;
  readonly server: string;
  readonly unit: string;
  readonly created: string;
}
