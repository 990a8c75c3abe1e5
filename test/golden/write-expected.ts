import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apply, DAMAGES } from './damages.ts';
import { BareMachine, type Expected, pinDigest, placeOf } from './golden.ts';

/** Writes down what the program as it is now sees of a new golden repository, sound and with each damage, and pins its bytes. */
export async function writeExpected(name: string, trees: Expected['trees']): Promise<void> {
  const sound = new BareMachine(name);
  const snapshots = await sound.list();
  const databases: Record<string, NonNullable<Expected['databases']>[string]> = {};
  for (const { id } of snapshots) databases[id] = await sound.databases(id);
  sound.remove();
  const damages: Record<string, Expected['damages'][string]> = {};
  for (const [what, damage] of Object.entries(DAMAGES)) {
    const machine = new BareMachine(name);
    if (apply(damage, machine.repository)) {
      const verified = await machine.verify().catch((error) => ({ status: error.code as string, damages: [] }));
      const restored: Record<string, Expected['damages'][string]['restored'][string]> = {};
      for (const { id } of snapshots) restored[id] = await machine.restore(id, trees[id]!, false);
      damages[what] = { verified, restored };
    }
    machine.remove();
  }
  const hasDatabases = Object.values(databases).some((each) => each.length > 0);
  const expected: Expected = { snapshots, trees, ...(hasDatabases ? { databases } : {}), damages };
  writeFileSync(join(placeOf(name), 'expected.json'), `${JSON.stringify(expected, null, 1)}\n`);
  pinDigest(name);
}
