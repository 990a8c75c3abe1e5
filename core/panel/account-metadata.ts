import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../linux/system-error.ts';
import { iniValue } from './ini.ts';

// A service file has some hundred bytes.
const LARGEST = 64 * 1024;

/** The folder of the service files that are in force; the second name stands in older documents. */
const SERVICE_FOLDERS = ['current', 'cur'];

/** What an account's own files say about it; for people, and where the administrator's home is; never an identity. */
export interface AccountMetadata {
  readonly domain: string | null;
  readonly adminUser: string | null;
  /** Why nobody can tell today, in words, where a file is there and cannot be read; undefined else. */
  readonly untold?: string;
}

/** What stands there is no file of the panel's, or nothing is there. */
const ABSENT: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** The beginning of a regular file as text, undefined when there is none. */
function readText(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (!ABSENT.has(errorCode(error))) throw error;
    return undefined;
  }
  try {
    if (!fstatSync(descriptor).isFile()) return undefined;
    const bytes = Buffer.alloc(LARGEST);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, LARGEST, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Reads `siteinfo` of the account in `folder`; what is not there is null. One account's file that cannot be read stops no other's backup. */
export function readAccountMetadata(folder: string): AccountMetadata {
  try {
    return readMetadata(folder);
  } catch (error) {
    return { domain: null, adminUser: null, untold: (error as Error).message };
  }
}

function readMetadata(folder: string): AccountMetadata {
  for (const services of SERVICE_FOLDERS) {
    const text = readText(join(folder, 'info', services, 'siteinfo'));
    if (text === undefined) continue;
    const value = (key: string) => iniValue(text, 'siteinfo', key) ?? null;
    return { domain: value('domain'), adminUser: value('admin_user') };
  }
  return { domain: null, adminUser: null };
}
