import { getSystemErrorName } from 'node:util';
import { lastErrno } from './libc.ts';

/** A refused system call, shaped like Node's own (`code`, `errno`, `syscall`). */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, subject?: string) {
    const code = getSystemErrorName(-errno);
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
