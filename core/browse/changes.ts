import type { Entry, Xattr } from '../manifest/entry.ts';
import type { Change } from '../schemas/reading.ts';

/** Whether two sets of extended attributes, each sorted by name, are the same. */
function sameXattrs(a: readonly Xattr[], b: readonly Xattr[]): boolean {
  if (a.length !== b.length) return false;
  return a.every(({ name, value }, index) => name === b[index]?.name && value.equals((b[index] as Xattr).value));
}

/** What an entry is besides its content; a stat of the live tree can say this much, too. */
export type Properties = Pick<Entry, 'kind' | 'mode' | 'uid' | 'gid' | 'mtime' | 'linkCount' | 'linkTarget' | 'deviceNumber' | 'xattrs'>;

/** In what two versions of an entry differ, of everything that a restore brings back except content and inode flags. */
export function propertyChanges(before: Properties, after: Properties): Change[] {
  const changes: Change[] = [];
  if (before.kind !== after.kind) changes.push('kind');
  if (before.linkTarget !== after.linkTarget) changes.push('target');
  const [from, to] = [before.deviceNumber, after.deviceNumber];
  if (from?.major !== to?.major || from?.minor !== to?.minor) changes.push('device');
  // The mode of a link means nothing and cannot be set.
  if (before.mode !== after.mode && after.kind !== 'symlink') changes.push('mode');
  if (before.uid !== after.uid || before.gid !== after.gid) changes.push('owner');
  if (before.mtime !== after.mtime) changes.push('mtime');
  if (!sameXattrs(before.xattrs, after.xattrs)) changes.push('xattrs');
  if (before.linkCount !== after.linkCount && before.kind !== 'directory' && after.kind !== 'directory') changes.push('links');
  return changes;
}

function sameContent(before: Entry, after: Entry): boolean {
  if (before.size !== after.size) return false;
  const [from, to] = [before.content?.digest, after.content?.digest];
  return from === undefined || to === undefined ? from === to : from.equals(to);
}

/** In what two stored versions of an entry differ; nothing when a restore would give the same. */
export function changesBetween(before: Entry, after: Entry): Change[] {
  const changes = propertyChanges(before, after);
  if (before.kind === 'file' && after.kind === 'file' && !sameContent(before, after)) changes.unshift('content');
  if (before.inodeFlags !== after.inodeFlags || before.projectId !== after.projectId) changes.push('flags');
  return changes;
}
