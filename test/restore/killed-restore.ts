/** A restore of two files into two folders below the one named as its argument, which kills itself as soon as both are there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { restoreSample } from './run-restore.ts';
import { SampleSnapshot, sampleEntry } from './sample-snapshot.ts';

const FILES = ['guarded/file', 'guarded/inner/file'];
const target = process.argv[2] as string;
const sample = new SampleSnapshot();
for (const path of ['guarded', 'guarded/inner']) sample.add(sampleEntry(path, { kind: 'directory', mode: 0o755 }));
for (const path of FILES) sample.add(sampleEntry(path, {}));
sample.commit();
await restoreSample(sample, target, {
  paths: FILES,
  overwrite: 'never',
  threads: false,
  progress: () => {
    if (FILES.every((path) => existsSync(join(target, path)))) process.kill(process.pid, 'SIGKILL');
  },
});
