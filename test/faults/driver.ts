/**
 * Carries out the attempts of one scenario, in a process of its own: what hangs or kills it is seen from outside. Started with
 * the layer of faults (`--import`). Its argument names the scenario; each line of its input is a fault in JSON, or `null`, which
 * counts the calls; each line of its output is the answer.
 */
import { createInterface } from 'node:readline';
import type { Fault } from './layer/fault.ts';
import { scenarioOf } from './scenarios.ts';

async function main(): Promise<void> {
  const scenario = await scenarioOf(process.argv[2] as string);
  try {
    for await (const line of createInterface({ input: process.stdin })) {
      const fault = JSON.parse(line) as Fault | null;
      const answer = fault === null ? await scenario.count() : await scenario.attempt(fault);
      process.stdout.write(`${JSON.stringify(answer)}\n`);
    }
  } finally {
    await scenario.remove();
  }
}

await main();
