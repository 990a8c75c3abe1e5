import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { compareDescriptions, type Difference } from '../fidelity/compare-trees.ts';
import { type Description, describeTree } from '../fidelity/description.ts';
import { Server } from './server.ts';

export const UNITS = ['site1', 'site2', 'site3'] as const;
export type UnitName = (typeof UNITS)[number];

/** What an account was like when a snapshot was made; `standing`: what a restore in place finds. */
export type State = 'before' | 'now' | 'standing';

/** How a restored unit differs from what it should be. */
export interface Restored {
  readonly differences: readonly Difference[];
  readonly expected: readonly Description[];
  /** Whether a difference is that the entry is, in this property, as it was in an earlier state. */
  readonly wasSo: (difference: Difference) => boolean;
}

const MEBIBYTE = 1024 * 1024;
const MARK_EVERY = 4096;

/** What stands every few kilobytes in all files of a unit, so that its contents are known wherever they turn up. */
export function markOf(unit: string): string {
  return `<these bytes belong to ${unit} alone>`;
}

function setAttribute(path: string, name: string): void {
  execFileSync('setfattr', ['-h', '-n', name, '-v', 'a note', path]);
}

/** Content that cannot be compressed, with the unit's mark in it. */
function content(unit: UnitName, length: number): Buffer {
  const bytes = randomBytes(length);
  for (let at = 0; at < length; at += MARK_EVERY) bytes.write(markOf(unit), at);
  return bytes;
}

/**
 * A server with three accounts in two states: as they are now, and as they were when the template's snapshots were made. Each
 * attempt gets a copy of a template's repository and state directory; the accounts are the same for all.
 */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'faults-'));
  readonly accounts = join(this.folder, 'virtual');
  readonly #descriptions = new Map<State, ReadonlyMap<string, Description[]>>();
  #servers = 0;

  /** Makes the accounts as they were before. */
  constructor() {
    for (const unit of UNITS) {
      this.#write(unit, 'info/current/siteinfo', `[siteinfo]\ndomain = ${unit}.test\nadmin_user = owner-of-${unit}\n`);
      for (let file = 0; file < 6; file++) this.#write(unit, `shadow/www/page-${file}`, content(unit, 3000 + file));
      this.#write(unit, 'shadow/www/deep/er/still', content(unit, 100));
      this.#write(unit, 'shadow/www/empty', '');
      linkSync(this.path(unit, 'shadow/www/page-1'), this.path(unit, 'shadow/www/second name'));
      symlinkSync('page-1', this.path(unit, 'shadow/www/link'));
      // Attributes of a link are read and written by other calls than those of a file.
      setAttribute(this.path(unit, 'shadow/www/link'), 'trusted.note');
      setAttribute(this.path(unit, 'shadow/www/page-0'), 'user.note');
      this.#write(unit, 'shadow/sparse', content(unit, 5000));
      truncateSync(this.path(unit, 'shadow/sparse'), MEBIBYTE);
    }
    // Several frames in several batches, and a file in chunks.
    for (let file = 0; file < 4; file++) this.#write('site1', `shadow/mail/box-${file}`, content('site1', 0.8 * MEBIBYTE));
    this.#write('site1', 'shadow/large', content('site1', 4.5 * MEBIBYTE));
    this.#write('site2', 'shadow/box', content('site2', 1.5 * MEBIBYTE));
  }

  /** Changes the accounts to what they are now. */
  async goOn(): Promise<void> {
    for (const unit of UNITS) {
      this.#write(unit, 'shadow/www/page-2', content(unit, 2500));
      rmSync(this.path(unit, 'shadow/www/page-3'));
      this.#write(unit, 'shadow/www/new/page', content(unit, 2600));
      utimesSync(this.path(unit, 'shadow/www/empty'), 1, 1);
    }
    this.#write('site1', 'shadow/mail/box-1', content('site1', 0.9 * MEBIBYTE));
    this.#write('site1', 'shadow/mail/box-4', content('site1', 1.9 * MEBIBYTE));
    this.#write('site2', 'shadow/box', content('site2', 1.4 * MEBIBYTE));
  }

  /** Adds more to an account than a restore writes without threads, which costs a repository little. */
  addCompressible(unit: UnitName): void {
    const line = Buffer.from(`${markOf(unit)}\n`);
    for (let file = 0; file < 20; file++) this.#write(unit, `shadow/logs/log-${file}`, Buffer.alloc(1.8 * MEBIBYTE, line));
  }

  /** Adds so many entries to an account that threads look at them, in the runs that compare. */
  addMany(unit: UnitName): void {
    for (let entry = 0; entry < 5200; entry++) this.#write(unit, `shadow/many/folder-${entry % 80}/${entry}`, '');
  }

  path(unit: UnitName, name: string): string {
    return join(this.accounts, unit, name);
  }

  /** Notes what the accounts look like, under the name of a state. */
  async describe(state: State): Promise<void> {
    this.#descriptions.set(state, await describeEach(this.accounts));
  }

  /**
   * How restored units, each in a folder of its own in `folder`, differ from what they were; `of` tells what a folder should hold,
   * and in which state that was before.
   */
  async differences(
    folder: string,
    of: (name: string) => { unit: UnitName; state: State; earlier?: State | undefined },
  ): Promise<ReadonlyMap<string, Restored>> {
    const units = new Map<string, Restored>();
    for (const [name, restored] of await describeEach(folder)) {
      const { unit, state, earlier } = of(name);
      const expected = this.#descriptions.get(state)?.get(unit) as Description[];
      const from = async (some: readonly Description[]) => (await compareDescriptions(iterate(some), iterate(restored))).differences;
      const differences = await from(expected);
      const was = earlier === undefined ? undefined : this.#descriptions.get(earlier)?.get(unit);
      const alsoNew = new Set((was === undefined || differences.length === 0 ? [] : await from(was)).map(keyOf));
      units.set(name, { differences, expected, wasSo: (difference) => was !== undefined && !alsoNew.has(keyOf(difference)) });
    }
    return units;
  }

  /** A server with nothing in its repository, or with a copy of what another one has. */
  async server(template?: Server): Promise<Server> {
    const folder = join(this.folder, `server-${++this.#servers}`);
    if (template === undefined) mkdirSync(folder);
    else await execa('cp', ['-a', template.folder, folder]);
    return Server.make(folder, this.accounts);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #write(unit: UnitName, name: string, bytes: Uint8Array | string): void {
    const path = this.path(unit, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, bytes);
  }
}

/** What is below each folder in a folder, with paths below it: one start of the describer for all. */
async function describeEach(folder: string): Promise<Map<string, Description[]>> {
  const trees = new Map<string, Description[]>();
  for await (const { firstName, ...entry } of describeTree(folder)) {
    const [name = '', ...below] = entry.path.split('/');
    if (name !== '' && !trees.has(name)) trees.set(name, []);
    // The account's own folder is no entry of a snapshot.
    if (below.length === 0) continue;
    const first = firstName === undefined ? {} : { firstName: firstName.slice(name.length + 1) };
    trees.get(name)?.push({ ...entry, ...first, path: below.join('/') });
  }
  return trees;
}

function keyOf({ path, property }: Difference): string {
  return `${property} ${path}`;
}

async function* iterate(descriptions: readonly Description[]): AsyncGenerator<Description> {
  yield* descriptions;
}
