import { DatabaseScenario } from './database-scenario.ts';
import { JobScenario } from './job-scenario.ts';
import { KnownPlaceScenario } from './known-place-scenario.ts';
import { ManyEntriesScenario } from './many-entries-scenario.ts';
import { PruneScenario } from './prune-scenario.ts';
import { ReadingScenario } from './reading-scenario.ts';
import { RestoreScenario } from './restore-scenario.ts';
import { RunScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { StoryScenario } from './story-scenario.ts';

const SCENARIOS = {
  'first run': () => RunScenario.prepare({ hasPast: false, level: 'auto' }),
  'next run': () => RunScenario.prepare({ hasPast: true, level: 'incremental' }),
  'run that compacts': () => RunScenario.prepare({ hasPast: true, level: 'full' }),
  'restore to a folder': () => RestoreScenario.prepare({ inPlace: false, unit: 'site2', isLarge: false }),
  'restore in place': () => RestoreScenario.prepare({ inPlace: true, unit: 'site2', isLarge: false }),
  'restore with threads': () => RestoreScenario.prepare({ inPlace: false, unit: 'site2', isLarge: true }),
  'run of many entries': () => ManyEntriesScenario.prepare(),
  'run with databases': () => DatabaseScenario.prepare('run'),
  'restore of databases': () => DatabaseScenario.prepare('restore'),
  'known place': () => KnownPlaceScenario.prepare(),
  job: () => JobScenario.prepare(),
  prune: () => PruneScenario.prepare(),
  reading: () => ReadingScenario.prepare(undefined, false),
  'encrypted reading': () => ReadingScenario.prepare(undefined, true),
} satisfies Record<string, () => Promise<Scenario>>;

/** One of these, a story of `test/crashes`, or one of the commands that read. */
export type ScenarioName = keyof typeof SCENARIOS | `${'story' | 'reading' | 'encrypted reading'}: ${string}`;

const STORY = 'story: ';

/** Prepares a scenario by its name. */
export async function scenarioOf(name: string): Promise<Scenario> {
  if (name.startsWith(STORY)) return StoryScenario.prepare(name.slice(STORY.length));
  const [, kind, command] = /^((?:encrypted )?reading): (.+)$/.exec(name) ?? [];
  if (kind !== undefined) return ReadingScenario.prepare(command, kind !== 'reading');
  if (!(name in SCENARIOS)) throw new RangeError(`there is no scenario ${name}`);
  return SCENARIOS[name as keyof typeof SCENARIOS]();
}
