import { ACTIONS, type Action, ERRNOS, type ErrnoName, type Fault } from './layer/fault.ts';
import { pointOf, type ThreadName } from './layer/points.ts';

/** Calls that change something: their answer can be lost after they were carried out. */
const CHANGING = new Set([
  ...['libc.mkdirat', 'libc.mknodat', 'libc.symlinkat', 'libc.linkat', 'libc.unlinkat', 'libc.renameat2', 'libc.fsetxattr', 'libc.fchmod'],
  ...['fs.linkSync', 'fs.mkdirSync', 'fs.openSync', 'fs.renameSync', 'fs.rmSync', 'fs.unlinkSync', 'fs.fsync', 'fs.fsyncSync'],
  ...['backend.create', 'backend.write', 'backend.commit', 'backend.remove', 'xattr.setSync'],
]);
const PARTIAL = new Set(['fs.read', 'fs.readSync', 'fs.write', 'fs.writeSync']);
const ERRNO_NAMES = Object.keys(ERRNOS) as ErrnoName[];

function actionsOf(thread: ThreadName, call: string): Action[] {
  return ACTIONS.filter((action) => {
    if (action === 'errno') return call !== 'thread.postMessage';
    if (action === 'late') return CHANGING.has(call);
    if (action === 'short') return PARTIAL.has(call);
    if (action === 'drop') return call === 'thread.postMessage';
    if (action === 'kill') return thread !== 'main' || call.startsWith('thread.');
    return true;
  });
}

/** `wanted` of the numbers from 1 to `count`, the first and the last among them. */
function spread(count: number, wanted: number): number[] {
  if (count <= wanted) return Array.from({ length: count }, (_, index) => index + 1);
  return Array.from({ length: wanted }, (_, index) => 1 + Math.round((index * (count - 1)) / (wanted - 1)));
}

export interface Extent {
  /** How many of the calls of one name, in one kind of thread, get one fault each; the kinds take turns. */
  readonly places: number;
  /** Whether the first, the middle and the last call of each name get every kind of fault. */
  readonly isOfEveryKind: boolean;
  /** Of all of these so many, spread over the names. */
  readonly most: number;
  /** In these threads alone; left out: in all. */
  readonly thread?: ThreadName;
}

/** Some seconds a scenario; and the whole, every call and every kind. */
export const EXTENT: Extent =
  process.env.SLOW === '1'
    ? { places: Number.POSITIVE_INFINITY, isOfEveryKind: true, most: Number.POSITIVE_INFINITY }
    : { places: 2, isOfEveryKind: false, most: 6 };

/** Every fault of one place: each number of an error, everything else that can happen, once and for ever. */
function faultsAt(thread: ThreadName, call: string, nth: number): Fault[] {
  const hasErrno = !call.startsWith('thread.') && !call.startsWith('zlib.');
  return [false, true].flatMap((forever) =>
    actionsOf(thread, call).flatMap((action) => {
      const errnos = hasErrno && (action === 'errno' || action === 'late') ? ERRNO_NAMES : (['EIO'] as const);
      return errnos.map((errno) => ({ thread, call, nth, action, errno, forever }));
    }),
  );
}

/** Steps through the kinds of fault so that neighbours get different ones, and each is reached: few counts share a factor with it. */
const STEP = 5;

/** The faults to try, by how often each call came. */
export function chooseFaults(counts: readonly number[], { places, isOfEveryKind, most, thread: wanted }: Extent): Fault[] {
  const chosen: Fault[] = [];
  let turn = 0;
  for (const [number, count] of counts.entries()) {
    const { thread, call } = pointOf(number);
    if (count === 0 || (wanted !== undefined && thread !== wanted)) continue;
    const thorough = new Set(isOfEveryKind ? spread(count, 3) : []);
    for (const nth of thorough) chosen.push(...faultsAt(thread, call, nth));
    for (const nth of spread(count, places)) {
      const all = faultsAt(thread, call, nth);
      if (!thorough.has(nth)) chosen.push(all[(turn++ * STEP) % all.length] as Fault);
    }
  }
  return chosen.length <= most ? chosen : spread(chosen.length, most).map((nth) => chosen[nth - 1] as Fault);
}

/** How many calls could fail, of all names and threads. */
export function callsIn(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
