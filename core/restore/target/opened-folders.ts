import { readFileSync, writeSync } from 'node:fs';
import { asFailure, Failure } from '../../failure.ts';
import { placeOf } from '../../linux/descriptor.ts';
import { closeDescriptor, openAt, openDirectoryAt, openTrustedDirectory, renameAt, unlinkAt } from '../../linux/files.ts';
import { O_APPEND, O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY } from '../../linux/flags.ts';
import { readInodeFlags, writeInodeFlags } from '../../linux/inode-flags.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import type { Report } from '../rules.ts';
import { stagedName } from './names.ts';
import { PROTECTING_FLAGS } from './protection.ts';

/** The file of a staging folder that tells which folders are opened: one line of JSON each. Nothing that is staged has such a name. */
const NOTES = 'opened-folders';
const PRIVATE = 0o600;

const stat = new StatBuffer();

/** A folder whose protection is off while a restore writes into it. */
interface OpenedFolder {
  /** Where it was, from `/`. */
  readonly path: ByteString;
  /** Which folder it is: decimal, as JSON has no numbers of 64 bits. The birth in nanoseconds, empty where the file system has none. */
  readonly device: string;
  readonly inode: string;
  readonly birth: string;
  /** Its immutable and append-only flags. */
  readonly flags: number;
}

/**
 * Notes in a staging folder that the flags of an open folder are about to be taken off, so that they can be put back when the restore
 * is killed. Not synchronised: it outlives the process, and perhaps not the machine.
 */
export function noteOpened(staging: number, folder: number, flags: number): void {
  const notes = openAt(staging, NOTES, O_WRONLY | O_APPEND | O_CREAT, PRIVATE);
  try {
    write(notes, [{ path: placeOf(folder), ...identityOf(folder), flags }]);
  } finally {
    closeDescriptor(notes);
  }
}

/**
 * Gives the folders that a killed restore noted in its staging folder their flags back, as far as they are where they were and the
 * same. `report` hears of each that was open and is closed now, and of each that stays open; those stay noted.
 * Whether none is left.
 */
export function closeOpened(staging: number, report: Report): boolean {
  const noted = readNotes(staging);
  const left = noted.filter((folder) => !isClosed(folder, staging, report));
  if (left.length === 0) {
    if (noted.length > 0) unlinkAt(staging, NOTES);
  } else if (left.length < noted.length) {
    replaceNotes(staging, left);
  }
  return left.length === 0;
}

/** Whether this is the file that has to stay while a folder is still open. */
export function isNotes(name: ByteString): boolean {
  return name === NOTES;
}

function isClosed(folder: OpenedFolder, staging: number, report: Report): boolean {
  const { path } = folder;
  try {
    if (close(folder)) {
      const message = 'a killed restore had left this folder without its protection (immutable or append-only); it has it again';
      report({ code: 'protection_left', message, path });
    }
    return true;
  } catch (error) {
    if (errorCode(error) === undefined && !(error instanceof Failure)) throw error;
    const reason = asFailure(error).message;
    const advice = `when that is settled, remove ${placeOf(staging)}`;
    const message = `a killed restore had taken the protection (immutable or append-only) off this folder, and it cannot be put back: ${reason}; ${advice}`;
    report({ code: 'protection_left', message, path });
    return false;
  }
}

/** Whether anything had to be put back. */
function close({ path, flags, ...identity }: OpenedFolder): boolean {
  const descriptor = walk(path);
  try {
    const { device, inode, birth } = identityOf(descriptor);
    if (device !== identity.device || inode !== identity.inode || birth !== identity.birth) {
      throw new Failure('replaced', 'another folder stands there now');
    }
    const present = readInodeFlags(descriptor);
    if ((present & flags) === flags) return false;
    writeInodeFlags(descriptor, present | flags);
    return true;
  } finally {
    closeDescriptor(descriptor);
  }
}

/** Opens a folder by its path from `/`, one component at a time, and never through a link. */
function walk(path: ByteString): number {
  let descriptor = openTrustedDirectory('/');
  for (const name of path.split('/').filter((component) => component !== '')) {
    const above = descriptor;
    try {
      descriptor = openDirectoryAt(above, name);
    } finally {
      closeDescriptor(above);
    }
  }
  return descriptor;
}

function identityOf(descriptor: number): Pick<OpenedFolder, 'device' | 'inode' | 'birth'> {
  statDescriptor(descriptor, stat);
  return { device: `${stat.device}`, inode: `${stat.inode}`, birth: stat.hasBirthTime ? `${stat.birthTime}` : '' };
}

function readNotes(staging: number): OpenedFolder[] {
  let notes: number;
  try {
    notes = openAt(staging, NOTES, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  try {
    // What follows the last end of a line was being written when the restore was killed: that flag was not taken off.
    return readFileSync(notes, 'latin1').split('\n').slice(0, -1).flatMap(parse);
  } finally {
    closeDescriptor(notes);
  }
}

/** Nothing for a line that a full disk cut short; its flag was not taken off either. */
function parse(line: string): OpenedFolder[] {
  try {
    const { path, device, inode, birth, flags } = JSON.parse(line);
    return [{ path: String(path), device, inode, birth, flags: Number(flags) & PROTECTING_FLAGS }];
  } catch {
    return [];
  }
}

function replaceNotes(staging: number, folders: readonly OpenedFolder[]): void {
  const staged = stagedName();
  const notes = openAt(staging, staged, O_WRONLY | O_CREAT | O_EXCL, PRIVATE);
  try {
    write(notes, folders);
  } finally {
    closeDescriptor(notes);
  }
  renameAt(staging, staged, staging, NOTES);
}

/** Begins with an end of a line, in case the last one has none. Paths are bytes, one a character. */
function write(notes: number, folders: readonly OpenedFolder[]): void {
  const bytes = Buffer.from(folders.map((folder) => `\n${JSON.stringify(folder)}\n`).join(''), 'latin1');
  if (writeSync(notes, bytes) !== bytes.length) throw new Failure('disk_full', 'no room to note which folder is opened');
}
