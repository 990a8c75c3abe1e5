import { libc } from './libc.ts';

const status = Buffer.alloc(120); // struct statfs of 64-bit Linux
const FSID_OFFSET = 56;
const FSID_LENGTH = 8;

const XFS_MAGIC = 0x58465342;
// _IOR('X', 100, struct xfs_fsop_geom_v1), which every kernel answers; the UUID stands behind eight words and four long ones.
const XFS_IOC_FSGEOMETRY_V1 = 0x80705864;
const XFS_GEOMETRY_LENGTH = 112;
const XFS_UUID_OFFSET = 64;
const UUID_LENGTH = 16;

// _IOR(0x15, 0, struct fsuuid2): a length, then so many bytes. Linux 6.9 and later.
const FS_IOC_GETFSUUID = 0x80111500;

/** Bytes as a text, undefined when they are all zero. */
function textOf(bytes: Buffer): string | undefined {
  return bytes.every((byte) => byte === 0) ? undefined : bytes.toString('hex');
}

function xfsUuid(descriptor: number): string | undefined {
  const geometry = Buffer.alloc(XFS_GEOMETRY_LENGTH);
  if (libc.ioctl(descriptor, XFS_IOC_FSGEOMETRY_V1, geometry) !== 0) return undefined;
  return textOf(geometry.subarray(XFS_UUID_OFFSET, XFS_UUID_OFFSET + UUID_LENGTH));
}

function genericUuid(descriptor: number): string | undefined {
  const answer = Buffer.alloc(1 + UUID_LENGTH);
  if (libc.ioctl(descriptor, FS_IOC_GETFSUUID, answer) !== 0) return undefined;
  return textOf(answer.subarray(1));
}

/**
 * What names the file system of an open directory for as long as it exists, whatever device number it gets at the next reboot;
 * undefined where it has no such thing. Taken from what every kernel tells alike: the UUID in the geometry of XFS (whose
 * `statfs` says the device number), else the id of `statfs`, which ext4 and others make from their UUID and btrfs from that and the
 * subvolume.
 */
export function fileSystemId(descriptor: number): string | undefined {
  // FUSE may leave the call out, and a network may be away.
  if (libc.fstatfs(descriptor, status) !== 0) return undefined;
  const type = status.readUInt32LE(0);
  const id = textOf(status.subarray(FSID_OFFSET, FSID_OFFSET + FSID_LENGTH));
  const text = type === XFS_MAGIC ? xfsUuid(descriptor) : (id ?? genericUuid(descriptor));
  return text === undefined ? undefined : `${type.toString(16)}-${text}`;
}
