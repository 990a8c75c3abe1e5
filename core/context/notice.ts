import type { FailureCode } from '../failure.ts';

/** Stable words for events that are no failures; a failure that stops nothing is told by its own code. */
export const NOTICE_CODES = {
  answer_shortened: 'an answer was too large for one message, and a part of its warnings was left out',
  automatic_exports: 'the panel’s nightly exports of databases go on beside those of the backups',
  begun: 'a job begins',
  compaction_skipped: 'objects were not written anew, and take more room than they need',
  ended: 'a job has ended',
  history_accepted: 'backups are missing, and somebody accepted that',
  keys_changed: 'backups are encrypted for others than before',
  link_followed: 'a link of root to the place of an account was followed',
  manifest_fetched: 'a record of files was fetched from the repository, because the local copy was lost',
  mended: 'a damaged or missing object of the repository was put back as it was',
  not_authenticated: 'signatures cannot be compared with a known key of the server',
  not_told: 'somebody could not be told how the backups stand',
  paused: 'a backup pauses, because the load is high',
  paused_too_long: 'a backup goes on although the load is high still',
  priority_kept: 'the priority of a process could not be lowered',
  replaced_databases: 'databases that a restore has replaced are not backed up',
  restore_settled: 'a database was put back as it was before a restore that had died',
  server_founded: 'this machine begins backups of its own in a repository that has others',
  server_foreign: 'the backups are another server’s',
  resumed: 'a backup goes on after a pause',
  server_others: 'the repository has backups of other servers, too',
  state_lost: 'what the state directory knew of the last backup is lost',
  state_unusable: 'the state directory cannot be read or written',
  time_zone_unknown: 'the time zone is not known, and UTC is meant',
  unit_continued: 'an account in a new folder goes on where its backups were',
  unit_earlier: 'earlier accounts had this name',
  unit_refused: 'the system’s service manager did not take a job, which has a process of its own instead',
  unit_renamed: 'an account has another domain than at its last backup',
  unit_renewed: 'an account was made anew',
  unread: 'a line that came in is no request',
  waiting: 'another operation is under way, and this one waits for it',
} as const;

export type NoticeCode = FailureCode | keyof typeof NOTICE_CODES;

/** Something that the operator should know and that does not stop the operation. */
export interface Notice {
  readonly level: 'info' | 'warning' | 'error';
  readonly code: NoticeCode;
  readonly message: string;
  readonly affected?: readonly string[];
}

export type Notify = (notice: Notice) => void;
