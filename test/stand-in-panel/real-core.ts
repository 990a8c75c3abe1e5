import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { MAIN } from '../program.ts';
import type { FakePanel } from './fake-panel.ts';

export interface RealSettings {
  readonly repository: string;
  readonly stateDirectory: string;
  readonly accountsRoot: string;
  readonly systemRoot: string;
}

/** Puts the real core in the place of the scripted one, and returns its settings. */
export function useRealCore(panel: FakePanel): RealSettings {
  const settings = {
    repository: join(panel.folder, 'repository'),
    stateDirectory: join(panel.folder, 'state'),
    accountsRoot: panel.accounts,
    systemRoot: join(panel.folder, 'root'),
  };
  mkdirSync(settings.systemRoot);
  writeFileSync(panel.core, `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${MAIN}' "$@"\n`);
  chmodSync(panel.core, 0o755);
  writeSettings(panel, settings);
  return settings;
}

export function writeSettings(panel: FakePanel, settings: object): void {
  writeFileSync(panel.settingsFile, `${JSON.stringify(settings)}\n`);
  chmodSync(panel.settingsFile, 0o600);
}

export async function createRepository(panel: FakePanel): Promise<void> {
  await execa(panel.core, ['--config', panel.settingsFile, 'init']);
}
