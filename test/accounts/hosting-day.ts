import { appendFileSync, chmodSync, readdirSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { removeAttributeSync, setAttributeSync } from 'fs-xattr';
import { Random } from './random.ts';
import { TextSource } from './text-source.ts';

const CHANGED = 0.01;
const EDITED_IN_PLACE = 0.001;
const METADATA_ONLY = 0.001;
const DELETED = 0.002;
const CREATED = 0.003;
const RENAMED_FOLDERS = 3;

/** What a day did to the accounts. */
export interface Day {
  changed: number;
  metadataOnly: number;
  deleted: number;
  created: number;
  renamedFolders: number;
}

function listTree(folder: string): { files: string[]; folders: string[] } {
  const files: string[] = [];
  const folders: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) folders.push(join(entry.parentPath, entry.name));
    else if (entry.isFile()) files.push(join(entry.parentPath, entry.name));
  }
  return { files: files.sort(), folders: folders.sort() };
}

function editInPlace(file: string, text: Buffer): void {
  const middle = Math.floor(statSync(file).size / 2);
  writeFileSync(file, text, { flag: 'r+' });
  appendFileSync(file, text.subarray(0, middle % 100));
}

/** Does to the accounts below `folder` what a day does; the same for the same tree and seed. */
export function mutateDay(folder: string, seed: number): Day {
  const random = new Random(seed);
  const text = new TextSource(random);
  const { files, folders } = listTree(folder);
  const day: Day = { changed: 0, metadataOnly: 0, deleted: 0, created: 0, renamedFolders: 0 };
  for (const file of files) {
    const chance = random.below(1_000_000) / 1_000_000;
    if (chance < DELETED) {
      unlinkSync(file);
      day.deleted++;
    } else if (chance < DELETED + CHANGED) {
      const part = text.slice(random.skewed(512, 20_000));
      if (chance < DELETED + EDITED_IN_PLACE) editInPlace(file, part.subarray(0, 300));
      else writeFileSync(file, part);
      day.changed++;
    } else if (chance < DELETED + CHANGED + METADATA_ONLY) {
      changeMetadata(file, random);
      day.metadataOnly++;
    } else if (chance > 1 - CREATED) {
      writeFileSync(join(dirname(file), `new-${seed}-${day.created}.php`), text.slice(random.skewed(512, 20_000)));
      day.created++;
    }
  }
  const parents = new Set(folders.map((path) => dirname(path)));
  const leaves = folders.filter((path) => path.includes('/html/') && !parents.has(path));
  for (; day.renamedFolders < RENAMED_FOLDERS && leaves.length > 0; day.renamedFolders++) {
    const [chosen] = leaves.splice(random.below(leaves.length), 1);
    renameSync(chosen!, `${chosen}-renamed-${seed}`);
  }
  return day;
}

function changeMetadata(file: string, random: Random): void {
  if (random.chance(0.5)) {
    chmodSync(file, 0o640);
    return;
  }
  const name = 'user.changed';
  setAttributeSync(file, name, Buffer.from('today'));
  if (random.chance(0.2)) removeAttributeSync(file, name);
}
