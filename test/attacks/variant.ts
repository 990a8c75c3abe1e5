import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../program.ts';
import type { Guard } from './guards.ts';

/** Takes a guard out of the copy of the project at `root`; fails when the list of guards no longer fits the code. */
export function takeOut({ name, file, again, ...first }: Guard, root: string): void {
  const path = join(root, file);
  for (const { text, without } of again === undefined ? [first] : [first, again]) {
    const parts = readFileSync(path, 'utf8').split(text);
    if (parts.length !== 2) throw new Error(`the guard "${name}" stands ${parts.length - 1} times in ${file}`);
    writeFileSync(path, parts.join(without));
  }
}

/** A copy of the project without some guards, to be removed afterwards. */
export class Variant {
  readonly root = mkdtempSync(join(tmpdir(), 'apiscp-backup-variant-'));

  constructor(without: readonly Guard[], folders: readonly string[] = ['core']) {
    for (const name of [...folders, 'package.json', '.mocharc.json']) cpSync(join(ROOT, name), join(this.root, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.root, 'node_modules'));
    for (const each of without) takeOut(each, this.root);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
