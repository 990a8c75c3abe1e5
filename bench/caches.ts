import { writeFileSync } from 'node:fs';
import { execa } from 'execa';

/** Writes out what earlier work left to be written, so that it does not burden the next. Returns the seconds that it took. */
export async function flush(folder: string): Promise<number> {
  const { durationMs } = await execa('sync', ['--file-system', folder]);
  return durationMs / 1000;
}

/** Makes the kernel forget all contents, names and inodes that it holds. Needs root; call `flush` before. */
export function dropCaches(): void {
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

/** Reads everything below a folder, as far as memory holds it. */
export async function warmUp(folder: string): Promise<void> {
  await execa('find', [folder, '-type', 'f', '-exec', 'cat', '{}', '+'], { stdout: 'ignore' });
}
