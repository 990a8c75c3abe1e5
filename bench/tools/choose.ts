import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { lookForPrograms } from './kinds.ts';
import { EXECUTABLE, OURS } from './ours.ts';
import type { Place, ToolKind } from './tool.ts';

/** A tool that is there, and its versions for the record. */
export interface PresentTool<At extends Place = Place> {
  readonly kind: ToolKind<At>;
  readonly version: string;
}

export interface Choice<At extends Place> {
  readonly present: readonly PresentTool<At>[];
  /** In words: what is missing and how to get it. */
  readonly missing: readonly string[];
}

// What the bench itself calls, beside the tools.
const OWN_NEEDS = { time: 'time', strace: 'strace' } as const;

async function install(packages: readonly string[]): Promise<void> {
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  await execa('apt-get', ['update'], { reject: false, env: environment });
  await execa('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { reject: false, env: environment });
}

async function missingOwnNeeds(): Promise<string[]> {
  const missing: string[] = [];
  for (const [program, debianPackage] of Object.entries(OWN_NEEDS)) {
    if ((await execa(program, ['--version'], { reject: false })).exitCode !== 0) missing.push(debianPackage);
  }
  return missing;
}

/**
 * The tools of these kinds and names, ours always and first, as far as they are there. Installs what is missing where there is
 * apt-get; `names` empty: all.
 */
export async function chooseTools<At extends Place>(kinds: readonly ToolKind<At>[], names: readonly string[]): Promise<Choice<At>> {
  if (!existsSync(EXECUTABLE)) throw new Error(`there is no ${EXECUTABLE}; run \`make build\``);
  const wanted = kinds.filter(({ name }) => names.length === 0 || name === OURS || names.includes(name));
  const packages = await missingOwnNeeds();
  for (const kind of wanted) packages.push(...(await lookForPrograms(kind)).missingPackages);
  if (packages.length > 0 && existsSync('/usr/bin/apt-get')) await install(packages);
  const still = await missingOwnNeeds();
  if (still.length > 0) throw new Error(`the bench needs ${still.join(' and ')}`);
  const present: PresentTool<At>[] = [];
  const missing: string[] = [];
  for (const kind of wanted) {
    const { versions, missingPackages } = await lookForPrograms(kind);
    if (missingPackages.length === 0) present.push({ kind, version: versions.join(', ') });
    else missing.push(`${kind.name}: not here; the package is ${missingPackages.join(', ')}`);
  }
  return { present, missing };
}
