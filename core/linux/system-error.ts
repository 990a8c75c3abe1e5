import { errorName } from './error-names.ts';
import { lastErrno } from './libc.ts';

/** A refused system call, shaped like Node's own (`code`, `errno`, `syscall`), except that `errno` is the kernel's, above 0. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, subject?: string) {
    const code = errorName(errno);
    super(subject === undefined ? `${syscall}: ${code}` : `${syscall} ${JSON.stringify(subject)}: ${code}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** Throws a `SystemError` when a call returned a negative result. */
export function check(result: number, syscall: string, subject?: string): number {
  if (result < 0) throw new SystemError(syscall, lastErrno(), subject);
  return result;
}

/** The error code of a thrown system error such as `ENOENT`; undefined for anything else. */
export function errorCode(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Whatever a call of Node's own threw, as a `SystemError` where the system refused it: Node does not know the names of all errors. */
export function asSystemError(thrown: unknown): unknown {
  if (thrown instanceof SystemError) return thrown;
  const { errno, syscall } = (thrown ?? {}) as { errno?: unknown; syscall?: unknown };
  return typeof errno === 'number' && typeof syscall === 'string' ? new SystemError(syscall, Math.abs(errno)) : thrown;
}
