// Restores a unit in a process of its own and says when it has begun, so that a test can kill it.
import { readFileSync, writeSync } from 'node:fs';
import { restore } from '../../core/commands/restore.ts';

const settings = JSON.parse(readFileSync(process.argv[2] as string, 'utf8'));
let begun = false;
await restore(
  { unit: 'site1' },
  {
    settings,
    now: () => new Date(),
    signal: new AbortController().signal,
    reporter: {
      log: () => {},
      progress: () => {
        if (!begun) writeSync(1, 'begun');
        begun = true;
      },
    },
  },
);
