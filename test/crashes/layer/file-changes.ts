import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import type { Change, Changing, Meeting } from './change.ts';
import { contentOf, placeOfDescriptor } from './libc-changes.ts';
import { unnamedFiles } from './unnamed-files.ts';

type FileCall = (...args: unknown[]) => unknown;

const { existsSync, readdirSync, lstatSync } = fs;

function pathOf(file: unknown): string {
  return typeof file === 'number' ? placeOfDescriptor(file) : String(file);
}

/** A file without a name is no part of the tree yet. */
function written(file: unknown): Changing {
  return () => {
    const path = pathOf(file);
    if (existsSync(path)) return [contentOf(path)];
    unnamedFiles.written(file as number);
    return [];
  };
}

function created(file: unknown): Changing {
  const path = pathOf(file);
  const isNew = !existsSync(path);
  return () => [...(isNew ? ([{ kind: 'file', path }] as const) : []), contentOf(path)];
}

const synced = (descriptor: unknown): Changing => {
  const path = pathOf(descriptor);
  return () => {
    if (existsSync(path)) return [{ kind: 'synced', path }];
    unnamedFiles.synced(descriptor as number);
    return [];
  };
};

/** Everything below, and then the entry itself, as it is removed. */
function removed(path: string): Change[] {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return [];
  const below = lstatSync(path).isDirectory() ? readdirSync(path).flatMap((name) => removed(join(path, name))) : [];
  return [...below, { kind: 'gone', path }];
}

function madeFolders(path: string, isRecursive: boolean): Change[] {
  if (existsSync(path)) return [];
  return [...(isRecursive ? madeFolders(dirname(path), true) : []), { kind: 'folder', path }];
}

const { O_CREAT, O_TMPFILE, O_DIRECTORY } = fs.constants as Record<string, number> & { O_TMPFILE?: number };
const UNNAMED = (O_TMPFILE ?? 0o20200000) & ~(O_DIRECTORY as number);

function opened(file: unknown, flags: unknown): Changing | undefined {
  const makes = typeof flags === 'number' ? (flags & (O_CREAT as number)) !== 0 : /^[wa]/.test(String(flags));
  if (typeof flags === 'number' && (flags & UNNAMED) !== 0) return () => [];
  const path = pathOf(file);
  if (!makes) return undefined;
  if (!existsSync(path)) return () => [{ kind: 'file', path }];
  return String(flags).startsWith('w') ? () => [contentOf(path)] : undefined;
}

/** Each function of node:fs that changes something, by what it is about to change; undefined when this call changes nothing. */
const CHANGES: Readonly<Record<string, (...args: unknown[]) => Changing | undefined>> = {
  openSync: opened,
  writeSync: written,
  write: written,
  writeFileSync: (file) => (typeof file === 'number' ? written(file) : created(file)),
  appendFileSync: created,
  ftruncateSync: written,
  fsyncSync: synced,
  fsync: synced,
  mkdirSync: (path, options) => {
    const made = madeFolders(String(path), (options as { recursive?: boolean } | undefined)?.recursive === true);
    return made.length === 0 ? undefined : () => made;
  },
  rmdirSync: (path) => () => [{ kind: 'gone', path: String(path) }],
  rmSync: (path) => {
    const gone = removed(String(path));
    return gone.length === 0 ? undefined : () => gone;
  },
  unlinkSync: (path) => () => [{ kind: 'gone', path: String(path) }],
  renameSync: (path, to) => () => [{ kind: 'renamed', path: String(path), to: String(to) }],
  linkSync: (path, to) => () => [{ kind: 'linked', path: String(path), to: String(to) }],
  fchmodSync: () => () => [],
  chmodSync: () => () => [],
};

/** Has each changing call of node:fs in this thread met. To be done before the core is loaded. */
export function watchFiles(meeting: Meeting, isWatched: () => boolean): void {
  const functions = fs as unknown as Record<string, FileCall>;
  for (const [name, describe] of Object.entries(CHANGES)) {
    const original = functions[name] as FileCall;
    const call = `fs.${name}`;
    const layer: FileCall = (...args) => {
      const changing = isWatched() ? describe(...args) : undefined;
      if (changing === undefined) return original.apply(fs, args);
      const nth = meeting.before(call);
      if (name.endsWith('Sync')) {
        const result = original.apply(fs, args);
        meeting.after(nth, changing);
        return result;
      }
      const done = args.pop() as FileCall;
      return original.apply(fs, [
        ...args,
        (error: unknown, ...results: unknown[]) => {
          if (error === null || error === undefined) meeting.after(nth, changing);
          done(error, ...results);
        },
      ]);
    };
    // `promisify` finds in a property what the callback of `fs.write` gets.
    functions[name] = Object.defineProperties(layer, Object.getOwnPropertyDescriptors(original));
  }
  syncBuiltinESMExports();
}
