import { existsSync, lstatSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDurableFolder } from '../config/durable-folder.ts';
import { untrusted } from '../config/trusted-place.ts';
import type { Notify } from '../context/notice.ts';
import { asFailure, Failure } from '../failure.ts';

const OTHERS_MAY_WRITE = 0o022;

/**
 * Makes the state directory when it is missing and checks that nobody but its owner, this process' user, can change it: what
 * stands in it decides what the next backup passes over. Throws `invalid_settings`.
 */
export function prepareStateDirectory(path: string): void {
  try {
    refuseReplaceable(path);
    if (makeDurableFolder(path)) refuseReplaceable(path);
    const status = lstatSync(path);
    const problem = problemOf(status);
    if (problem === undefined) return;
    throw new Failure('invalid_settings', `the state directory ${path} is not a directory that root alone can write to: ${problem}`, {
      affected: [path],
      advice: 'Make root its owner and take the write permission from group and others, or set another `stateDirectory`.',
    });
  } catch (error) {
    throw asFailure(error);
  }
}

function refuseReplaceable(path: string): void {
  const weak = untrusted(path);
  if (weak === undefined || weak.place === path) return;
  throw new Failure('invalid_settings', `others than root could replace the state directory ${path}: ${weak.place}: ${weak.reason}`, {
    affected: [weak.place],
    advice: 'Make root the owner of every folder above it, and take the write permission from group and others.',
  });
}

function problemOf(status: Stats): string | undefined {
  if (!status.isDirectory()) return status.isSymbolicLink() ? 'it is a link' : 'it is no directory';
  const user = process.geteuid?.();
  if (status.uid !== user) return `it belongs to the user ${status.uid}, and this program runs as the user ${user}`;
  return (status.mode & OTHERS_MAY_WRITE) === 0 ? undefined : 'others than its owner can write to it';
}

/**
 * The same for what frees or rescues, which needs no state: where it is missing and cannot be made, because the disk is full or
 * read-only, a notice is all, and the answer false. One that others can change is refused all the same.
 */
export function useStateDirectory(path: string, notify: Notify): boolean {
  try {
    prepareStateDirectory(path);
    return true;
  } catch (error) {
    const { code, message } = asFailure(error);
    if (code !== 'io_error' && code !== 'disk_full') throw error;
    notify({ level: 'warning', code: 'state_unusable', message: `going on without a state directory: ${message}`, affected: [path] });
    return false;
  }
}

/** Where the states of all repositories lie. */
export function repositoriesFolder(stateDirectory: string): string {
  return join(stateDirectory, 'repositories');
}

/** Where the state that belongs to one repository lies: two repositories of one server must not confuse each other's. */
export function repositoryStateFolder(stateDirectory: string, repository: string): string {
  return join(repositoriesFolder(stateDirectory), repository);
}

/** Where is remembered what a copy of a repository has. */
export function copyStateFolder(stateFolder: string, copy: string): string {
  return join(stateFolder, 'copies', copy);
}

/** Whether there is a state directory, to which the state of a repository belongs: what only reads makes none. */
export function hasStateDirectory(stateFolder: string): boolean {
  return existsSync(dirname(dirname(stateFolder)));
}
