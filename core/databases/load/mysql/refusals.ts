import { Failure } from '../../../failure.ts';
import type { CodeKind } from './code-objects.ts';

/**
 * Why a view cannot be made where it was dumped from: what it reads is another database's, or is gone; or is not yet there but for what
 * stands in its place in a dump, through which nothing could be written.
 */
const BEYOND_A_VIEW = new Set([
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_COLUMNACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_PROCACCESS_DENIED_ERROR',
  'ER_NO_SUCH_TABLE',
  'ER_BAD_DB_ERROR',
  'ER_BAD_FIELD_ERROR',
  'ER_VIEW_INVALID',
  'ER_VIEW_NONUPD_CHECK',
  'ER_SP_DOES_NOT_EXIST',
]);

/** Why a server with a binary log makes no function or trigger: for nobody but its administrator, and what writes by chance for nobody. */
const BEYOND_CODE_THAT_WRITES = new Set(['ER_BINLOG_CREATE_ROUTINE_NEED_SUPER', 'ER_BINLOG_UNSAFE_ROUTINE']);

/** Whether the server refused a code object for something that is not in its dump. */
export function isBeyond(error: unknown, kind: CodeKind): error is Failure {
  if (!(error instanceof Failure) || error.code !== 'database_refused') return false;
  const { code = '' } = (error.cause ?? {}) as { code?: string };
  return (kind === 'VIEW' ? BEYOND_A_VIEW : BEYOND_CODE_THAT_WRITES).has(code);
}
