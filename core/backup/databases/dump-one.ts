import { closeSync, writeFile } from 'node:fs';
import type { ChildWatch } from '../../databases/child.ts';
import type { Consistency, DatabaseFacts, DatabaseServer } from '../../databases/database-server.ts';
import type { DumpProcess } from '../../databases/dump-process.ts';
import { isSamePart, type LeftOut } from '../../databases/left-out.ts';
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
  readonly now: () => Date;
}

/** A dump that is stored. */
export interface StoredDump extends StoredStream {
  readonly consistency: Consistency;
  readonly leftOut: readonly LeftOut[];
  /** When it began: what came before were others that broke off. */
  readonly moment: Date;
}

/** Where a dump goes. */
export interface DumpTarget {
  readonly path: ByteString;
  /** Whether the point in time before has nothing at `path`. */
  readonly isNew: boolean;
}

interface FailedDump {
  readonly failure: string;
  readonly isStalled: boolean;
}

/** What servers say when somebody changed a table, or dropped one, while it was dumped. */
const CHANGED_MEANWHILE =
  /definition has changed|doesn't exist|does not exist|Couldn't find table|cache lookup failed|could not open relation|deadlock detected/i;

/** So many dumps of one database are begun at most, each without what broke the ones before off. */
const TRIES = 20;

/**
 * Dumps one database into the packs; again, once, when somebody changed its tables meanwhile, as an upgrade of an application does; and
 * without what cannot be dumped, such as a crashed table. Undefined when it is not there any more, be it that it went meanwhile. Throws
 * `database_failed` for what its server or the dump brings; what the packs bring fails the unit.
 */
export async function dumpOne(
  server: DatabaseServer,
  facts: DatabaseFacts,
  target: DumpTarget,
  store: StreamStore,
  watch: DumpWatch,
): Promise<StoredDump | undefined> {
  const started = performance.now();
  const without: LeftOut[] = [];
  let hasChanged = false;
  for (let tries = 1; ; tries++) {
    // What the ones before brought is known by now.
    const isNew = target.isNew && tries === 1;
    const timeLimit = Math.ceil(watch.timeLimit - (performance.now() - started));
    const result: StoredDump | FailedDump | undefined = await tryDump(server, facts, without, { ...target, isNew }, store, {
      ...watch,
      timeLimit,
    });
    if (result === undefined || !('failure' in result)) return result;
    const isTimeOver = performance.now() - started >= watch.timeLimit;
    const changes: boolean = !hasChanged && CHANGED_MEANWHILE.test(result.failure);
    hasChanged ||= changes;
    const broken = changes || isTimeOver || result.isStalled ? [] : await findBroken(server, facts, result.failure, watch);
    const more = broken.filter((part) => !without.some((other) => isSamePart(part, other)));
    without.push(...more);
    if (tries < TRIES && !isTimeOver && (changes || more.length > 0)) continue;
    throw new Failure('database_failed', `its dump failed: ${result.failure}`, { retry: true });
  }
}

/** What broke a dump off; nothing when its server cannot tell. */
async function findBroken(server: DatabaseServer, { name }: DatabaseFacts, said: string, watch: DumpWatch): Promise<LeftOut[]> {
  try {
    return await server.brokenParts(name, said, { timeLimit: watch.patience, signal: watch.signal });
  } catch (error) {
    watch.signal.throwIfAborted();
    if (error instanceof Failure) return [];
    throw error;
  }
}

async function tryDump(
  server: DatabaseServer,
  { name }: DatabaseFacts,
  without: readonly LeftOut[],
  target: DumpTarget,
  store: StreamStore,
  watch: DumpWatch,
): Promise<StoredDump | FailedDump | undefined> {
  const signal = AbortSignal.any([watch.signal, store.failed]);
  const asked = { timeLimit: watch.patience, signal };
  const plan = await server.planDump(name, without, asked);
  if (plan === undefined) return undefined;
  const { startDump } = await import('../../databases/dump-process.ts');
  const moment = watch.now();
  const dump = startDump(plan.command, { timeLimit: watch.timeLimit, signal });
  const stored = await storeDump(dump, { kind: server.engine, ...target }, store, watch.patience);
  if (!('failure' in stored)) return { ...stored, consistency: plan.consistency, leftOut: plan.leftOut, moment };
  watch.signal.throwIfAborted();
  // Whoever drops a database while it is dumped wants no backup of it.
  return (await server.planDump(name, without, asked).catch(() => plan)) === undefined ? undefined : stored;
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

async function storeDump(dump: DumpProcess, order: Order, store: StreamStore, patience: number): Promise<StoredStream | FailedDump> {
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
  return {
    failure: isStalled ? `nothing came of it for ${seconds} seconds, as when somebody holds a lock on a table` : failure,
    isStalled,
  };
}
