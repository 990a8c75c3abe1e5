import { ACTIONS, type Action, ERRNOS, type ErrnoName, type Fault } from './layer/fault.ts';
import { pointOf, type ThreadName } from './layer/points.ts';

/** Calls that change something: their answer can be lost after they were carried out. */
const CHANGING = new Set([
  ...['libc.mkdirat', 'libc.mknodat', 'libc.symlinkat', 'libc.linkat', 'libc.unlinkat', 'libc.renameat2', 'libc.fsetxattr', 'libc.fchmod'],
  ...['fs.linkSync', 'fs.mkdirSync', 'fs.openSync', 'fs.renameSync', 'fs.rmSync', 'fs.unlinkSync', 'fs.fsync', 'fs.fsyncSync'],
  ...['backend.create', 'backend.write', 'backend.commit', 'backend.remove'],
]);
const PARTIAL = new Set(['fs.readSync', 'fs.write', 'fs.writeSync']);
const ERRNO_NAMES = Object.keys(ERRNOS) as ErrnoName[];

function actionsOf(thread: ThreadName, call: string): Action[] {
  return ACTIONS.filter((action) => {
    if (action === 'errno') return call !== 'thread.postMessage';
    if (action === 'late') return CHANGING.has(call);
    if (action === 'short') return PARTIAL.has(call);
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
  /** How many of the calls of one name, in one kind of thread. */
  readonly places: number;
  /** How many faults at each of them; the kinds take turns. */
  readonly faults: number;
  /** Of all of these so many, spread over the names. */
  readonly most: number;
  /** In these threads alone; left out: in all. */
  readonly thread?: ThreadName;
}

/** Half a minute a scenario; and the whole, which takes hours. */
export const EXTENT: Extent =
  process.env.SLOW === '1' ? { places: 40, faults: 20, most: Number.POSITIVE_INFINITY } : { places: 2, faults: 1, most: 20 };

/** Every fault of one place, those that last a while after those that pass. */
function faultsAt(thread: ThreadName, call: string, nth: number, turn: number): Fault[] {
  const kinds = [false, true].flatMap((forever) => actionsOf(thread, call).map((action) => ({ action, forever })));
  return kinds.map(({ action, forever }, index) => {
    const errno = ERRNO_NAMES[(turn + index) % ERRNO_NAMES.length] as ErrnoName;
    return { thread, call, nth, action, errno, forever };
  });
}

/** The faults to try, by how often each call came. */
export function chooseFaults(counts: readonly number[], { places, faults, most, thread: wanted }: Extent): Fault[] {
  const chosen: Fault[] = [];
  let turn = 0;
  for (const [number, count] of counts.entries()) {
    const { thread, call } = pointOf(number);
    if (wanted !== undefined && thread !== wanted) continue;
    for (const nth of spread(count, places)) {
      const all = faultsAt(thread, call, nth, turn);
      for (let index = 0; index < Math.min(faults, all.length); index++) chosen.push(all[(turn + index) % all.length] as Fault);
      turn += faults;
    }
  }
  return chosen.length <= most ? chosen : spread(chosen.length, most).map((nth) => chosen[nth - 1] as Fault);
}

/** How many calls could fail, of all names and threads. */
export function callsIn(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
