import type { Operation } from './tools/tool.ts';

/** What is measured: an operation under given conditions. */
export interface Step {
  readonly id: string;
  readonly title: string;
  readonly operation: Operation;
  /** What the kernel holds of the disk when it begins: nothing, or all that fits. */
  readonly cache: 'cold' | 'warm';
  /** A day passes before each round. */
  readonly changesTree?: true;
  /** Done in the first round only, because nothing is left to do in a second. */
  readonly once?: true;
}

/** In the order in which they are done: restores come from the full and what changed nothing, before the first day passes. */
export const SERVER_STEPS = [
  { id: 'full-cold', title: 'full, cold', operation: 'full', cache: 'cold' },
  { id: 'full-warm', title: 'full, warm', operation: 'full', cache: 'warm' },
  { id: 'unchanged-cold', title: 'nothing changed, cold', operation: 'unchanged', cache: 'cold' },
  { id: 'unchanged-warm', title: 'nothing changed, warm', operation: 'unchanged', cache: 'warm' },
  { id: 'restore-file', title: 'restore one file', operation: 'restoreFile', cache: 'warm' },
  { id: 'restore-account', title: 'restore one account of twenty', operation: 'restoreAccount', cache: 'warm' },
  { id: 'restore-all', title: 'restore all', operation: 'restoreAll', cache: 'warm' },
  { id: 'changed', title: '1 % changed', operation: 'changed', cache: 'warm', changesTree: true },
  { id: 'differential', title: 'differential', operation: 'differential', cache: 'warm', changesTree: true },
  { id: 'list', title: 'list', operation: 'list', cache: 'warm' },
  { id: 'prune', title: 'prune, one snapshot left', operation: 'prune', cache: 'warm', once: true },
] as const satisfies readonly Step[];

/** A database export of which 1 % of the rows changed, and a log that grew. */
export const DUMP_STEPS = [
  { id: 'dump-full', title: 'export and log, full', operation: 'full', cache: 'warm' },
  { id: 'dump-changed', title: 'export and log, a day later', operation: 'changed', cache: 'warm', changesTree: true },
] as const satisfies readonly Step[];

/** 200 databases, of which three change in a day. */
export const DATABASE_STEPS = [
  { id: 'databases-full', title: '200 databases, full', operation: 'full', cache: 'warm' },
  { id: 'databases-unchanged', title: '200 databases, nothing changed', operation: 'unchanged', cache: 'warm' },
  { id: 'databases-changed', title: '200 databases, 3 changed', operation: 'changed', cache: 'warm', changesTree: true },
] as const satisfies readonly Step[];

/** Of ours alone: one account with a chain of 30 snapshots, and one with four times the entries. */
export const OWN_STEPS = [
  { id: 'chain-file', title: 'restore one file, newest of 30 snapshots' },
  { id: 'chain-all', title: 'restore all through the 30 snapshots' },
  { id: 'chain-full', title: 'restore all of a full of the same state' },
  { id: 'entries-full', title: 'full, that many entries' },
  { id: 'entries-unchanged', title: 'nothing changed, that many entries' },
  { id: 'fourfold-full', title: 'full, four times as many entries' },
  { id: 'fourfold-unchanged', title: 'nothing changed, four times as many' },
] as const;

/** Ours beside Node alone: until the answer has the id of a job. */
export const JOB_STEPS = [{ id: 'job-start', title: 'a job is started, and its id known' }] as const;

/** What recovery data costs ours, and what healing does. */
export const RECOVERY_STEPS = [
  { id: 'recovery-full', title: 'full, without and with recovery data' },
  { id: 'recovery-repair', title: 'repair, one pack damaged' },
] as const;

/** One account of small files, stored over a slow line. */
export const LINE_STEPS = [
  { id: 'line-full-s3', title: 'full to S3 over the line' },
  { id: 'line-restore-s3', title: 'restore from S3 over the line' },
  { id: 'line-full-sftp', title: 'full to SFTP over the line' },
  { id: 'line-restore-sftp', title: 'restore from SFTP over the line' },
] as const;
