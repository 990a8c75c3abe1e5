import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { type Command, measureOne } from '../measure.ts';
import { EXECUTABLE, OURS } from '../tools/ours.ts';
import type { Bench } from './bench.ts';

/** Node, which the program is made of, doing nothing. */
export const NODE = 'node -e 0';

/** For each of the bench's: they take a tenth of a second. */
const ROUNDS = 5;

/** How long whoever asks over SOAP waits for the id of a job, beside the least that a program of this kind takes to start and end. */
export async function runJobs({ folder, rounds, journal }: Bench): Promise<void> {
  const work = join(folder, 'work');
  const at = (name: string): string => join(work, name);
  for (const name of ['accounts/site1/shadow', 'accounts/site1/info/current', 'system']) mkdirSync(at(name), { recursive: true });
  writeFileSync(at('accounts/site1/info/current/siteinfo'), '[siteinfo]\ndomain = example.test\nadmin_user = owner1\n');
  const places = { repository: at('repository'), stateDirectory: at('state'), accountsRoot: at('accounts'), systemRoot: at('system') };
  writeFileSync(at('settings.json'), JSON.stringify(places), { mode: 0o600 });
  const program = (...args: string[]): Command => ({ program: EXECUTABLE, args: ['--config', at('settings.json'), ...args] });
  await measureOne(program('init'), work);
  const params = { method: 'run', request: { units: ['site1'] } };
  writeFileSync(at('request'), `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'start', params })}\n`);
  const contenders = [
    { tool: OURS, command: { ...program('rpc'), input: at('request') } },
    { tool: NODE, command: { program: process.execPath, args: ['-e', '0'] } },
  ];
  for (let round = 0; round < rounds * ROUNDS; round++) {
    for (const { tool, command } of contenders) {
      journal.add({ step: 'job-start', tool, round, ...(await measureOne(command, work)), flushSeconds: 0, storedBytes: 0 });
      await untilNoneLives(program('jobs', '--live', '--json'));
    }
  }
  rmSync(work, { recursive: true });
}

/** So that no job works beside what is measured next. */
async function untilNoneLives({ program, args }: Command): Promise<void> {
  while (JSON.parse((await execa(program, args)).stdout).jobs.length > 0) await pause(50);
}
