import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { untrusted } from '../config/trusted-place.ts';
import { asFailure, Failure } from '../failure.ts';

const PRIVATE = 0o700;
const OTHERS_MAY_WRITE = 0o022;

/**
 * Makes the state directory when it is missing and checks that nobody but its owner, this process' user, can change it: what
 * stands in it decides what the next backup leaves out. Throws `invalid_settings`.
 */
export function prepareStateDirectory(path: string): void {
  try {
    const weak = untrusted(path);
    if (weak !== undefined && weak.place !== path) {
      throw new Failure('invalid_settings', `others than root could replace the state directory ${path}: ${weak.place}: ${weak.reason}`, {
        affected: [weak.place],
        advice: 'Make root the owner of every folder above it, and take the write permission from group and others.',
      });
    }
    mkdirSync(path, { recursive: true, mode: PRIVATE });
    const status = lstatSync(path);
    if (status.isDirectory() && status.uid === process.geteuid?.() && (status.mode & OTHERS_MAY_WRITE) === 0) return;
  } catch (error) {
    throw asFailure(error);
  }
  throw new Failure('invalid_settings', `the state directory ${path} is not a directory that root alone can write to`, {
    affected: [path],
    advice: 'Make root its owner and take the write permission from group and others, or set another `stateDirectory`.',
  });
}

/** Where the state that belongs to one repository lies: two repositories of one server must not confuse each other's. */
export function repositoryStateFolder(stateDirectory: string, repository: string): string {
  return join(stateDirectory, 'repositories', repository);
}
