// What a tenant runs during a restore: the directory is a directory, a link to elsewhere, a directory, a link …
import { mkdirSync, renameSync, rmSync, symlinkSync, writeSync } from 'node:fs';

const [, , path, elsewhere] = process.argv;
const attempt = (action) => {
  try {
    action();
  } catch {
    // The restore was faster.
  }
};
writeSync(1, 'ready');
for (;;) {
  attempt(() => renameSync(path, `${path}.away`));
  attempt(() => symlinkSync(elsewhere, path));
  attempt(() => rmSync(path));
  attempt(() => renameSync(`${path}.away`, path));
  attempt(() => mkdirSync(path));
}
