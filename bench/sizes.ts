import type { TreePlan } from './tree/hosting-tree.ts';

/** What one size of the bench generates. */
export interface Size {
  readonly name: string;
  readonly server: TreePlan;
  /** Length of the database export, in bytes. */
  readonly dumpLength: number;
  /** Rows of each of the 200 databases; a row has about 250 bytes. */
  readonly databaseRows: number;
  /** Entries of the account with the long chain; of the one with four times as many, a quarter. */
  readonly entries: number;
}

const SEED = 'bench 1';
const MIB = 1024 * 1024;

function size(name: string, filesPerAccount: number, contents: TreePlan['contents'], dumpLength: number, databaseRows: number): Size {
  const accounts = 20;
  const server = { seed: SEED, accounts, filesPerAccount, contents };
  return { name, server, dumpLength, databaseRows, entries: accounts * filesPerAccount };
}

export const SIZES = {
  small: size('small', 1000, 'mixed', 64 * MIB, 1000),
  medium: size('medium', 10_000, 'mixed', 256 * MIB, 10_000),
  large: size('large', 50_000, 'small', 1024 * MIB, 40_000),
} as const;

export type SizeName = keyof typeof SIZES;
