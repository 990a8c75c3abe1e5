import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';
import { decodeDocument, deletionDocument, encodeDocument } from '../documents.ts';
import type { DeletionRecord } from './deletion-record.ts';

function fileOf(stateFolder: string, server: string): string {
  return join(stateFolder, 'seen', `${server}.unsaid.json`);
}

/** What is being deleted and could not be said in the repository yet, as that was full; undefined when there is nothing. */
export function readUnsaid(stateFolder: string, server: string): DeletionRecord | undefined {
  const file = fileOf(stateFolder, server);
  try {
    return decodeDocument(deletionDocument, readFileSync(file), file);
  } catch {
    // Lost or damaged: as if nothing had been deleted.
    return undefined;
  }
}

/** Throws where that cannot be kept. */
export function keepUnsaid(stateFolder: string, record: DeletionRecord): void {
  replaceFile(fileOf(stateFolder, record.server), encodeDocument(deletionDocument, record));
}

/** It stands in the repository now. One that stays says the same. */
export function forgetUnsaid(stateFolder: string, server: string): void {
  try {
    rmSync(fileOf(stateFolder, server), { force: true });
  } catch {}
}
