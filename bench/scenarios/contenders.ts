import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from '../run-steps.ts';
import type { PresentTool } from '../tools/choose.ts';

/** Sets the tools up, each in a new folder of its own below `workFolder`, which is emptied. */
export function contendersAt(
  tools: readonly PresentTool[],
  accountsRoot: string,
  accounts: readonly string[],
  workFolder: string,
): Contender[] {
  rmSync(workFolder, { recursive: true, force: true });
  return tools.map(({ kind }, index) => {
    const folder = join(workFolder, `tool-${index}`);
    mkdirSync(folder, { recursive: true });
    return { name: kind.name, tool: kind.at({ accountsRoot, accounts, folder }) };
  });
}
