import { FORMAT_VERSION } from '../repository/record.ts';
import { MESSAGES } from '../schemas/messages.ts';
import type { VersionRequest, VersionResult } from '../schemas/version.ts';
import { PROGRAM } from '../version.ts';

/** Says which program this is and what it understands. Needs no settings, so it works when they are broken. */
export async function version(_request: VersionRequest): Promise<VersionResult> {
  return { ...PROGRAM, formatVersion: FORMAT_VERSION, node: process.version, methods: Object.keys(MESSAGES) };
}
