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
