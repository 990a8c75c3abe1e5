import { SIZES, type Size, type SizeName } from './sizes.ts';

/** What the environment says about a run of the bench. */
export interface Settings {
  readonly sizeName: SizeName;
  readonly size: Size;
  /** Where trees and repositories go. */
  readonly folder: string;
  readonly rounds: number;
  /** Names of the tools besides ours; none: all. */
  readonly tools: readonly string[];
  /** Whether the chart becomes the one that the README shows. */
  readonly isShown: boolean;
}

/** Reads SIZE, BENCH_DIR, REPEAT, TOOLS and SHOW. Throws when one of them makes no sense. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const { SIZE = 'small', BENCH_DIR = '.bench', REPEAT = '3', TOOLS = '', SHOW = '' } = environment;
  if (!Object.hasOwn(SIZES, SIZE)) throw new Error(`SIZE is ${SIZE}, not one of ${Object.keys(SIZES).join(', ')}`);
  const rounds = Number(REPEAT);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`REPEAT is ${REPEAT}, not a number from 1 on`);
  const sizeName = SIZE as SizeName;
  const tools = TOOLS.split(',').filter((name) => name !== '');
  return { sizeName, size: SIZES[sizeName], folder: BENCH_DIR, rounds, tools, isShown: SHOW === '1' };
}
