import { FILE_CALLS } from './file-calls.ts';
import { LIBC_CALLS } from './libc-calls.ts';

/** Which thread a call is made in: the main one, or a worker of this role. */
export const THREADS = ['main', 'pack', 'read', 'write'] as const;
export type ThreadName = (typeof THREADS)[number];

/** The calls of a backend and of the writers that it hands out. */
export const BACKEND_CALLS = [
  ...[
    'inspect',
    'prepare',
    'removeFolder',
    'space',
    'create',
    'read',
    'readWhole',
    'openDirectly',
    'size',
    'list',
    'folders',
    'remove',
    'discardAbandoned',
    'discardUnfinished',
  ],
  ...['write', 'commit', 'abort'],
] as const;

/** What fs-xattr calls in its native part. */
export const XATTR_CALLS = ['getSync', 'setSync', 'listSync', 'removeSync'] as const;

/** What the core takes from node:zlib. */
export const ZLIB_CALLS = ['zstdCompressSync', 'zstdDecompressSync'] as const;

/** Starting a thread, and a message to or from one. */
export const THREAD_CALLS = ['start', 'postMessage'] as const;

/** Every call that can fail, in an order that all threads agree on: `libc.openat`, `fs.write`, `backend.commit`, `thread.start`. */
export const CALLS: readonly string[] = [
  ...LIBC_CALLS.map((name) => `libc.${name}`),
  ...FILE_CALLS.map((name) => `fs.${name}`),
  ...BACKEND_CALLS.map((name) => `backend.${name}`),
  ...XATTR_CALLS.map((name) => `xattr.${name}`),
  ...ZLIB_CALLS.map((name) => `zlib.${name}`),
  ...THREAD_CALLS.map((name) => `thread.${name}`),
];

/** The number of a call in a thread. */
export function numberOf(thread: ThreadName, call: string): number {
  const place = CALLS.indexOf(call);
  if (place < 0) throw new RangeError(`${call} is not among the calls that can fail`);
  return THREADS.indexOf(thread) * CALLS.length + place;
}

/** The thread and the call of a number. */
export function pointOf(number: number): { readonly thread: ThreadName; readonly call: string } {
  const thread = THREADS[Math.floor(number / CALLS.length)] as ThreadName;
  return { thread, call: CALLS[number % CALLS.length] as string };
}

export const POINT_COUNT = THREADS.length * CALLS.length;
