/**
 * Every error that leaves a function of the core on purpose. The code is stable: scripts, the PHP module and the tests
 * rely on it; the message is for people and may change.
 */
export const FAILURE_CODES = {
  usage: 'the request itself is wrong',
  invalid_settings: 'the settings file does not match its schema',
  not_root: 'the operation needs root',
  unsupported: 'this system, file system or input cannot be handled',
  internal: 'a defect of this program',
  cancelled: 'stopped on request',
  locked: 'another run holds the lock',
  io_error: 'the system refused a read or a write',
  disk_full: 'no space or no quota is left',
  repository_missing: 'nothing is at the place where the repository should be',
  repository_foreign: 'what is there is not a repository of this program',
  repository_newer: 'the repository was written by a newer format',
  repository_replaced: 'another repository stands at the place than before',
  repository_unreachable: 'the store of the repository does not answer, or not now',
  repository_refused: 'the store of the repository refuses this server or what it asks',
  repository_damaged: 'an object of the repository is missing, cut or altered',
  history_missing: 'a record that was there is gone, and its server did not delete it',
  identity_missing: 'what is encrypted needs an identity, and none was given',
  identity_wrong: 'none of the given identities opens what is encrypted',
  proof_failed: 'what a backup was about to record is not what it had stored',
  object_exists: 'an object of this name was already written',
  server_unknown: 'the repository has no such server',
  server_contested: 'another machine may write as this server',
  needs_confirmation: 'this is done only when it is confirmed',
  unit_unknown: 'no such account or unit',
  root_missing: 'what was backed up before is not there any more',
  unit_crashed: 'the program ended while it worked on this unit',
  snapshot_unknown: 'no such snapshot',
  path_unknown: 'the snapshot does not have this path',
  chain_broken: 'a snapshot that this restore point needs is missing or unusable',
  unsafe_path: 'a name could lead outside the target',
  target_in_the_way: 'something else stands where an entry has to be written',
  unreadable: 'an entry could not be read',
  changed_while_read: 'a file changed each time it was read',
  vanished: 'an entry disappeared while it was read',
  replaced: 'something else was put in the place of an entry while it was read',
  mount_skipped: 'another file system or bind mount inside the tree was skipped',
  unseen_kept: 'the snapshot does not say what was here, so nothing was deleted',
  still_hidden: 'what hides a layer below a mounted account could not be undone',
  staging_left: 'a folder in which a restore makes entries could not be removed',
  protection_left: 'a killed restore had left a folder without its immutable or append-only flag',
  content_missing: 'the snapshot has the entry, but not its content',
  digest_mismatch: 'content differs from its recorded SHA-256',
  attribute_refused: 'the target refused an attribute of an entry',
  database_unreachable: 'a database server does not answer, or does not let the program in',
  database_failed: 'a database could not be dumped',
  database_export_failed: 'the panel’s own export of databases failed',
  database_incomplete: 'a part of a database could not be dumped',
  raw_database_refused: 'live database files cannot be backed up as files',
  database_unknown: 'the snapshot has no such database',
  database_exists: 'a database of this name is already there',
  database_busy: 'others hold a database that was to be replaced',
  database_refused: 'the database server refused a statement',
  database_differs: 'what was loaded is not what the snapshot recorded',
  database_left: 'something of a database could not be brought along or taken away',
  dump_refused: 'a dump holds what no dump of a database holds',
  owner_not_allowed: 'the policy for account owners does not restore this',
  owner_limit: 'account owners may not ask for this, or not so often or so much',
  job_unknown: 'there is no such job, or it is somebody else’s',
  job_lost: 'the process of a job ended without saying what came of it',
  too_many_jobs: 'too many jobs are waiting or at work',
  retention_guard: 'a safety rule of retention stopped the deletion',
} as const;

export type FailureCode = keyof typeof FAILURE_CODES;

export interface FailureDetails {
  /** What was concerned: a path, a unit, an object's name. */
  affected?: readonly string[];
  /** What the reader can do now. */
  advice?: string;
  /** Whether the same call can succeed later without anybody changing anything. */
  retry?: boolean;
  cause?: unknown;
}

/** Names of a repository or a tenant stand in messages, and can be of any length. In characters: the longest path of an entry fits. */
const LONGEST_TEXT = 20_000;

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}

/** An expected failure, with a stable code (see `FAILURE_CODES`). */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly affected: readonly string[];
  readonly advice: string | undefined;
  readonly retry: boolean;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(cut(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.affected = details.affected?.map(cut) ?? [];
    this.advice = details.advice;
    this.retry = details.retry ?? false;
  }
}

/** As Node has it, who does not know its name. */
const EDQUOT = -122;

/** Turns whatever was thrown into a `Failure`; a defect becomes `internal` with the original as its cause. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const { code, errno, syscall } = (thrown ?? {}) as { code?: unknown; errno?: unknown; syscall?: unknown };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (code === 'ENOSPC' || code === 'EDQUOT' || errno === EDQUOT) {
    return new Failure('disk_full', message, { advice: 'Free space or raise the quota, then run again.', retry: true, cause: thrown });
  }
  const isNamed = typeof code === 'string' && /^E[A-Z0-9]+$/.test(code);
  // Node has no name for some errors, and says so in the place of the code.
  if (isNamed || (typeof errno === 'number' && typeof syscall === 'string'))
    return new Failure('io_error', message, { retry: true, cause: thrown });
  if (code === 'ERR_WORKER_INIT_FAILED' || code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const advice = 'Raise the limits of threads, open files or memory of the unit or the shell, or set fewer workers.';
    return new Failure('io_error', `a thread was refused: ${message}`, { advice, retry: true, cause: thrown });
  }
  // zlib fails at nothing else than memory when it compresses.
  if (typeof code === 'string' && /^(?:ZSTD_error_|ERR_ZLIB_INIT)/.test(code))
    return new Failure('io_error', message, { retry: true, cause: thrown });
  return new Failure('internal', message, { cause: thrown });
}
