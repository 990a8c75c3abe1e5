import { libc } from '../../../core/linux/libc.ts';

/** They tell nobody whether they worked, and `syscall` stands for priorities alone. */
const WITHOUT_ANSWER = new Set(['mallopt', 'malloc_trim']);

/** The functions of the C library that can fail. */
export const LIBC_CALLS: readonly string[] = Object.keys(libc).filter((name) => !WITHOUT_ANSWER.has(name));
