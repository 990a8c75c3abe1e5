import { SIZES, type Size, type SizeName } from './sizes.ts';

/** The accounts with every tool; the export and the log; ours alone; the same accounts with recovery data; the databases; the start of jobs; stores over a slow line. */
const PARTS = ['server', 'dump', 'own', 'recovery', 'databases', 'jobs', 'line'] as const;
export type Part = (typeof PARTS)[number];

/** What the environment says about a run of the bench. */
export interface Settings {
  readonly sizeName: SizeName;
  readonly size: Size;
  /** Where trees and repositories go. */
  readonly folder: string;
  readonly rounds: number;
  readonly parts: readonly Part[];
  /** As asked for; none: all. */
  readonly namedParts: readonly string[];
  /** Names of the tools besides ours; none: all. */
  readonly tools: readonly string[];
  /** Whether the chart becomes the one that the README shows. */
  readonly isShown: boolean;
}

function namesIn(list: string): string[] {
  return list.split(',').filter((name) => name !== '');
}

/** Reads SIZE, BENCH_DIR, REPEAT, TOOLS, PARTS and SHOW. Throws when one of them makes no sense. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const { SIZE = 'small', BENCH_DIR = '.bench', REPEAT = '3', TOOLS = '', PARTS: named = '', SHOW = '' } = environment;
  if (!Object.hasOwn(SIZES, SIZE)) throw new Error(`SIZE is ${SIZE}, not one of ${Object.keys(SIZES).join(', ')}`);
  const rounds = Number(REPEAT);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`REPEAT is ${REPEAT}, not a number from 1 on`);
  const sizeName = SIZE as SizeName;
  const [tools, chosen] = [namesIn(TOOLS), namesIn(named)];
  const wrong = chosen.find((name) => !PARTS.some((part) => part === name));
  if (wrong !== undefined) throw new Error(`PARTS has ${wrong}, not one of ${PARTS.join(', ')}`);
  const parts = PARTS.filter((part) => chosen.length === 0 || chosen.includes(part));
  return { sizeName, size: SIZES[sizeName], folder: BENCH_DIR, rounds, parts, namedParts: chosen, tools, isShown: SHOW === '1' };
}
