import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { descriptorPath } from '../../core/linux/descriptor.ts';
import { readNames } from '../../core/linux/directories.ts';
import { closeDescriptor, openDirectoryAt, openHandleAt, openTrustedDirectory, readLinkAt } from '../../core/linux/files.ts';
import { dataRanges } from '../../core/linux/holes.ts';
import { StatBuffer, statDescriptor } from '../../core/linux/stat.ts';
import { readXattrs } from '../../core/linux/xattrs.ts';

/** Everything about one entry on disk that tar can give back, made for comparing. */
export interface Described {
  kind: string;
  mode: string;
  owner: string;
  mtime: bigint;
  linkCount: number;
  xattrs: Record<string, string>;
  linkTarget?: string;
  deviceNumber?: string;
  sha256?: string;
  size?: number;
  ranges?: string;
}

/** Describes everything below a directory, by path relative to it, descriptor by descriptor so that any depth works. */
export function describeTree(root: string): Map<string, Described> {
  const found = new Map<string, Described>();
  const directory = openTrustedDirectory(root);
  describeDirectory(directory, '', found);
  closeDescriptor(directory);
  return found;
}

function describeDirectory(directory: number, prefix: string, found: Map<string, Described>): void {
  for (const name of readNames(directory).sort()) {
    const handle = openHandleAt(directory, name);
    const described = describeHandle(directory, name, handle);
    closeDescriptor(handle);
    found.set(prefix + name, described);
    if (described.kind !== 'directory') continue;
    const child = openDirectoryAt(directory, name);
    describeDirectory(child, `${prefix}${name}/`, found);
    closeDescriptor(child);
  }
}

function describeHandle(directory: number, name: string, handle: number): Described {
  const stat = new StatBuffer();
  statDescriptor(handle, stat);
  const described: Described = {
    kind: stat.kind,
    mode: stat.mode.toString(8),
    owner: `${stat.uid}:${stat.gid}`,
    mtime: stat.mtime,
    linkCount: stat.isDirectory ? 1 : stat.linkCount,
    xattrs: Object.fromEntries(readXattrs(handle).map(({ name: key, value }) => [key, value.toString('hex')])),
  };
  if (stat.kind === 'symlink') described.linkTarget = readLinkAt(directory, name);
  if (stat.kind.endsWith('device')) described.deviceNumber = `${stat.deviceNumber.major}:${stat.deviceNumber.minor}`;
  if (stat.isFile) describeContent(handle, stat.size, described);
  return described;
}

function describeContent(handle: number, size: number, described: Described): void {
  const descriptor = openSync(descriptorPath(handle), 'r');
  described.size = size;
  described.sha256 = createHash('sha256').update(readFileSync(descriptor)).digest('hex');
  const ranges = dataRanges(descriptor, size) ?? [];
  const whole = ranges.length === 1 && ranges[0]!.length === size;
  if (size > 0 && !whole) described.ranges = ranges.map(({ offset, length }) => `${offset}+${length}`).join(' ');
  closeSync(descriptor);
}
