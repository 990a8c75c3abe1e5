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

/** Shorter buffers may be pieces of Node's pool, which others use; they are not worth it either. */
const OWN_MEMORY = 256 * 1024;

/**
 * Frees the memory of a large buffer at once instead of at some garbage collection; nobody may use it any more. Frames of
 * megabytes come by the hundred while the collector sees only a few small objects.
 */
export function releaseBuffer(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength >= OWN_MEMORY) bytes.buffer.transfer(0);
}
