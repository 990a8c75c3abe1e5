import { libc } from './libc.ts';

const M_TRIM_THRESHOLD = -1;
const M_MMAP_THRESHOLD = -3;
const M_ARENA_MAX = -8;

const KEPT_BYTES = 4 * 1024 * 1024;

/**
 * Bounds what the C library keeps of freed buffers. Without this its thresholds grow with the first large buffer, and each thread keeps
 * tens of megabytes in pieces that nobody uses. Buffers of up to a frame are kept for the next one, for new memory costs a page fault
 * every 4 KiB: a tenth of the processor time of a full backup.
 */
export function keepMemorySmall(): void {
  libc.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
  libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
  libc.mallopt(M_ARENA_MAX, 2);
}

/** Gives the system back what lies unused between buffers in use: some milliseconds for what tens of frames leave. */
export function trimMemory(): void {
  libc.malloc_trim(0);
}

/** A view of a shorter buffer may be a piece of Node's pool, which others use. */
const OWN_MEMORY = 256 * 1024;

/**
 * Frees the memory of a buffer at once instead of at some garbage collection; nobody may use it any more. Megabytes come by the hundred
 * while the collector sees only a few small objects. The view of a short buffer that has more than the view is left alone.
 */
export function releaseBuffer(bytes: ArrayBufferView): void {
  const { buffer, byteLength } = bytes;
  // Released already, or handed to another thread.
  if (byteLength === 0) return;
  if (buffer instanceof ArrayBuffer && (byteLength === buffer.byteLength || buffer.byteLength >= OWN_MEMORY)) buffer.transfer(0);
}
