import { readFileSync } from 'node:fs';

/** Where the system does not say: what it gives a process at least. */
const USUAL = 1024;

/** How many descriptors this process may have open at once (RLIMIT_NOFILE, which Node raises to what is allowed). */
export function descriptorLimit(): number {
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
    return Number.isInteger(limit) ? limit : USUAL;
  } catch {
    return USUAL;
  }
}
