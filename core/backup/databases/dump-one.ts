import { closeSync, writeFile } from 'node:fs';
import type { ChildWatch } from '../../databases/child.ts';
import type { Consistency, DatabaseFacts, DatabaseServer } from '../../databases/database-server.ts';
import type { DumpProcess } from '../../databases/dump-process.ts';
import { Failure } from '../../failure.ts';
import { makePipe } from '../../linux/pipes.ts';
import type { ByteString } from '../../manifest/entry.ts';
import type { UnitPacking } from '../../scan/pack/unit-packing.ts';
import type { StoredStream } from '../../scan/stream/stored-stream.ts';

/** What dumps are stored by. */
export type StreamStore = Pick<UnitPacking, 'size' | 'readStream' | 'failed'>;

/** How a dump is watched. */
export interface DumpWatch extends ChildWatch {
  /** Milliseconds within which something must come of it, and the server must answer before. */
  readonly patience: number;
}

/** A dump that is stored. */
export interface StoredDump extends StoredStream {
  readonly consistency: Consistency;
  /** What it does not have, in words. */
  readonly leftOut: readonly string[];
}

/** Where a dump goes. */
export interface DumpTarget {
  readonly path: ByteString;
  /** Whether the point in time before has nothing at `path`. */
  readonly isNew: boolean;
}

/** What servers say when somebody changed a table, or dropped one, while it was dumped. */
const CHANGED_MEANWHILE =
  /definition has changed|doesn't exist|does not exist|Couldn't find table|cache lookup failed|could not open relation|deadlock detected/i;

/**
 * Dumps one database into the packs; again, once, when somebody changed its tables meanwhile, as an upgrade of an application does.
 * Undefined when it is not there any more, be it that it went meanwhile. Throws `database_failed` for what its server or the dump brings;
 * what the packs bring fails the unit.
 */
export async function dumpOne(
  server: DatabaseServer,
  facts: DatabaseFacts,
  target: DumpTarget,
  store: StreamStore,
  watch: DumpWatch,
): Promise<StoredDump | undefined> {
  const first = await tryDump(server, facts, target, store, watch);
  if (first === undefined || !('failure' in first)) return first;
  // What the first one brought is known by now.
  const last = CHANGED_MEANWHILE.test(first.failure) ? await tryDump(server, facts, { ...target, isNew: false }, store, watch) : first;
  if (last === undefined || !('failure' in last)) return last;
  throw new Failure('database_failed', `its dump failed: ${last.failure}`, { retry: true });
}

async function tryDump(
  server: DatabaseServer,
  { name }: DatabaseFacts,
  target: DumpTarget,
  store: StreamStore,
  watch: DumpWatch,
): Promise<StoredDump | { readonly failure: string } | undefined> {
  const signal = AbortSignal.any([watch.signal, store.failed]);
  const asked = { timeLimit: watch.patience, signal };
  const plan = await server.planDump(name, asked);
  if (plan === undefined) return undefined;
  const { startDump } = await import('../../databases/dump-process.ts');
  const dump = startDump(plan.command, { timeLimit: watch.timeLimit, signal });
  const stored = await storeDump(dump, { kind: server.engine, ...target }, store, watch.patience);
  if (!('failure' in stored)) return { ...stored, consistency: plan.consistency, leftOut: plan.leftOut };
  watch.signal.throwIfAborted();
  // Whoever drops a database while it is dumped wants no backup of it.
  return (await server.planDump(name, asked).catch(() => plan)) === undefined ? undefined : stored;
}

/** Stores a text as a dump is stored. */
export async function storeText(
  text: string,
  target: DumpTarget,
  kind: DatabaseServer['engine'],
  store: StreamStore,
): Promise<StoredStream> {
  const pipe = makePipe();
  const written = new Promise<void>((resolve) => {
    // What keeps it from being written ends the stream, and whoever reads it hears of that.
    writeFile(pipe.write, text, () => {
      closeSync(pipe.write);
      resolve();
    });
  });
  try {
    return await store.readStream({ descriptor: pipe.read, kind, reads: newCount(), ...target });
  } finally {
    closeSync(pipe.read);
    await written;
  }
}

function newCount(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

type Order = DumpTarget & { readonly kind: DatabaseServer['engine'] };

async function storeDump(
  dump: DumpProcess,
  order: Order,
  store: StreamStore,
  patience: number,
): Promise<StoredStream | { readonly failure: string }> {
  let stored: StoredStream;
  let isStalled = false;
  const reads = newCount();
  let last = -1;
  const watching = setInterval(() => {
    const count = Atomics.load(new Int32Array(reads), 0);
    if (count === last) {
      isStalled = true;
      dump.stop();
    }
    last = count;
  }, patience);
  try {
    stored = await store.readStream({ descriptor: dump.descriptor, reads, ...order });
  } finally {
    clearInterval(watching);
    // With nobody to read it, the dump would wait for ever.
    closeSync(dump.descriptor);
  }
  const { failure } = await dump.ended;
  if (failure === undefined) return stored;
  const seconds = Math.round(patience / 1000);
  return { failure: isStalled ? `nothing came of it for ${seconds} seconds, as when somebody holds a lock on a table` : failure };
}
