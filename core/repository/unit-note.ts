import type { SealedMembers } from './record.ts';

/** Something that was found out, or said, about a unit after it was begun. */
export interface UnitNote {
  readonly formatVersion: number;
  readonly id: string;
  readonly repository: string;
  readonly server: string;
  readonly unit: string;
  /**
   * `continued`: the account of this unit has the folder `incarnation` as well. `joined`: what the unit `joined` left belongs to this
   * one's customer. `gone`: what is missing of this unit on the server is meant to be.
   */
  readonly kind: 'continued' | 'joined' | 'gone';
  readonly incarnation: string | null;
  readonly joined: string | null;
  /** Of a note `continued`: the domain that the account has since then. */
  readonly domain?: string;
  /** For people. */
  readonly reason: string;
  /** RFC 3339 UTC. */
  readonly created: string;
  /** Has `reason` and `domain`, where the repository is encrypted. */
  readonly sealed?: SealedMembers;
}
