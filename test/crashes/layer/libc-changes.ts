import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { libc } from '../../../core/linux/libc.ts';
import { type Change, type Changing, type Meeting, UNMODELLED } from './change.ts';
import { unnamedFiles } from './unnamed-files.ts';

type Native = ((...args: unknown[]) => unknown) & { async?: (...args: unknown[]) => void };

const O_CREAT = 0o100;
const O_TMPFILE = 0o20000000;
const AT_EMPTY_PATH = 0x1000;

/** Where an open file or folder stands now. */
export function placeOfDescriptor(descriptor: number): string {
  return readlinkSync(`/proc/self/fd/${descriptor}`);
}

function pathAt(directory: unknown, name: unknown): string {
  const bytes = name as Buffer;
  const text = bytes.toString('utf8', 0, bytes.indexOf(0));
  return isAbsolute(text) ? text : join(placeOfDescriptor(directory as number), text);
}

/** That a file has other content now. */
export function contentOf(path: string): Change {
  return { kind: 'content', path, bytes: readFileSync(path) };
}

function folderOr(isFolder: boolean, path: string): Changing {
  return () => [{ kind: isFolder ? 'folder' : 'file', path }];
}

/** Each function of the C library that changes something, by what it is about to change; undefined when this call changes nothing. */
const CHANGES: Readonly<Record<string, (...args: unknown[]) => Changing | undefined>> = {
  openat: (directory, name, flags) => {
    if (((flags as number) & O_TMPFILE) !== 0) return UNMODELLED;
    if (((flags as number) & O_CREAT) === 0) return undefined;
    const path = pathAt(directory, name);
    return existsSync(path) ? undefined : folderOr(false, path);
  },
  mkdirat: (directory, name) => folderOr(true, pathAt(directory, name)),
  mknodat: () => UNMODELLED,
  symlinkat: (target, directory, name) => {
    const path = pathAt(directory, name);
    const bytes = Buffer.from(target as Buffer);
    return () => [{ kind: 'link', path, target: bytes.subarray(0, bytes.indexOf(0)) }];
  },
  linkat: (directory, name, toDirectory, toName, flags) => {
    const to = pathAt(toDirectory, toName);
    if (((flags as number) & AT_EMPTY_PATH) !== 0) {
      const isSynced = unnamedFiles.isSynced(directory as number);
      return () => [{ kind: 'named', path: to, bytes: readFileSync(to), isSynced }];
    }
    const path = pathAt(directory, name);
    return () => [{ kind: 'linked', path, to }];
  },
  unlinkat: (directory, name) => {
    const path = pathAt(directory, name);
    return () => [{ kind: 'gone', path }];
  },
  renameat2: (directory, name, toDirectory, toName) => {
    const [path, to] = [pathAt(directory, name), pathAt(toDirectory, toName)];
    return () => [{ kind: 'renamed', path, to }];
  },
  ftruncate: (descriptor) => () => {
    const path = placeOfDescriptor(descriptor as number);
    if (existsSync(path)) return [contentOf(path)];
    unnamedFiles.written(descriptor as number);
    return [];
  },
  syncfs: () => () => [{ kind: 'all synced' }],
  fchownat: () => UNMODELLED,
  chmod: () => UNMODELLED,
  fchmod: () => UNMODELLED,
  utimensat: () => UNMODELLED,
  futimens: () => UNMODELLED,
  setxattr: () => UNMODELLED,
  fsetxattr: () => UNMODELLED,
  removexattr: () => UNMODELLED,
  fremovexattr: () => UNMODELLED,
};

/** Has each changing call of the C library in this thread met. */
export function watchLibc(meeting: Meeting, isWatched: () => boolean): void {
  const functions = libc as unknown as Record<string, Native>;
  for (const [name, describe] of Object.entries(CHANGES)) {
    const native = functions[name] as Native;
    const call = `libc.${name}`;
    const layer: Native = (...args) => {
      const changing = isWatched() ? describe(...args) : undefined;
      if (changing === undefined) return native(...args);
      const nth = meeting.before(call);
      const result = native(...args) as number;
      // Reading where a descriptor stands makes calls of its own, after which nobody knows the number of an error any more.
      if (result >= 0) meeting.after(nth, changing);
      return result;
    };
    layer.async = (...args) => {
      const changing = isWatched() ? describe(...args) : undefined;
      if (changing === undefined) return native.async?.(...args);
      const nth = meeting.before(call);
      const done = args.pop() as (error: unknown, result: number) => void;
      native.async?.(...args, (error: unknown, result: number) => {
        if (result >= 0) meeting.after(nth, changing);
        done(error, result);
      });
    };
    functions[name] = layer;
  }
}
