import type { MethodName } from '../../core/schemas/messages.ts';
import { SmallWorld, UNIT } from '../crashes/small-world.ts';
import { encrypted, grow, oldestOf } from '../crashes/stories.ts';

/** A command that changes nothing of what is stored, with its request. */
export interface ReadingCommand {
  readonly method: MethodName;
  /** Whether the answer follows what earlier commands found: whether the last verification was good, whose turn it is. */
  readonly remembers?: true;
  readonly request?: (world: SmallWorld) => Readonly<Record<string, unknown>>;
}

const unit = UNIT;

/** By what they are called in titles. */
export const READING_COMMANDS: Readonly<Record<string, ReadingCommand>> = {
  'a status': { method: 'status', remembers: true },
  'a status of the fleet': { method: 'fleetStatus', request: () => ({ sizes: true }) },
  'a verification': { method: 'verify' },
  'a verification of one account': { method: 'verify', request: () => ({ unit }) },
  'a quick verification': { method: 'verify', request: () => ({ quick: true }) },
  'a verification of samples': { method: 'verify', request: () => ({ sample: 50 }), remembers: true },
  'a list': { method: 'list' },
  'a list of one account': { method: 'list', request: () => ({ unit }) },
  'a search': { method: 'find', request: () => ({ unit, pattern: '*' }) },
  'a history': { method: 'history', request: () => ({ unit, path: 'shadow/www/page' }) },
  'a comparison': { method: 'diff', request: (world) => ({ unit, from: oldestOf(world) }) },
  'a comparison with the server': { method: 'diff', request: (world) => ({ unit, from: oldestOf(world), live: true }) },
  'a folder': { method: 'ls', request: () => ({ unit, folder: 'shadow', recursive: true }) },
  'a list of databases': { method: 'databases', request: () => ({ unit }) },
  'a plan': { method: 'plan', request: () => ({ unit, delete: true }) },
  'a plan with other owners': { method: 'plan', request: () => ({ unit, mapUsers: ['0:4711'], mapGroups: ['0:4711'] }) },
  'a list of servers': { method: 'servers' },
  'a simulation': { method: 'simulate', request: () => ({ duration: '30d' }) },
  'a trial of a prune': { method: 'prune', request: () => ({ dryRun: true }) },
  'a trial of a repair': { method: 'repair', request: () => ({ dryRun: true }) },
  'an explanation': { method: 'explain', request: () => ({ unit, path: 'shadow/www/page' }) },
};

/** A world in which the last run found nothing changed; the caller removes it. */
export async function settledWorld(isEncrypted: boolean): Promise<SmallWorld> {
  const world = new SmallWorld();
  await grow(world, isEncrypted ? await encrypted() : {});
  await world.prepare('run', { units: [unit], level: 'incremental' });
  await world.prepare('run', { units: [unit], level: 'incremental' });
  return world;
}
