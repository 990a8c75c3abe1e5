import { libc } from './libc.ts';

const M_TRIM_THRESHOLD = -1;
const M_MMAP_THRESHOLD = -3;
const M_ARENA_MAX = -8;

/**
 * Has the C library give large buffers back to the system as soon as they are freed. Without this its thresholds grow with the
 * first large buffer, and each thread keeps tens of megabytes in pieces that nobody uses.
 */
export function keepMemorySmall(): void {
  libc.mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  libc.mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
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
