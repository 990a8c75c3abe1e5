import { libc } from './libc.ts';
import { check } from './system-error.ts';

// From linux/fs.h: struct fsxattr has 28 bytes, the project id stands behind three words.
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const PROJECT_AT = 12;

const attributes = Buffer.alloc(28);

/** The project of an open file or directory (not an O_PATH one), by which XFS and ext4 keep quotas of folders; 0 where there is none. */
export function readProjectId(descriptor: number): number {
  // Whoever cannot tell has no projects.
  return libc.ioctl(descriptor, FS_IOC_FSGETXATTR, attributes) === 0 ? attributes.readUInt32LE(PROJECT_AT) : 0;
}

const FS_XFLAG_PROJINHERIT = 0x200;

/** The project that an open directory gives to what is made in it; undefined when it gives none. */
export function inheritedProjectId(directory: number): number | undefined {
  if (libc.ioctl(directory, FS_IOC_FSGETXATTR, attributes) !== 0) return undefined;
  return (attributes.readUInt32LE(0) & FS_XFLAG_PROJINHERIT) === 0 ? undefined : attributes.readUInt32LE(PROJECT_AT);
}

/** Gives an open file or directory to a project. Throws where the file system has none. */
export function writeProjectId(descriptor: number, id: number): void {
  check(libc.ioctl(descriptor, FS_IOC_FSGETXATTR, attributes), 'ioctl');
  if (attributes.readUInt32LE(PROJECT_AT) === id) return;
  attributes.writeUInt32LE(id, PROJECT_AT);
  check(libc.ioctl(descriptor, FS_IOC_FSSETXATTR, attributes), 'ioctl');
}
