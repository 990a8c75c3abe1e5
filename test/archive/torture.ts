import { createHash } from 'node:crypto';
import type { DataRange, Entry, Xattr } from '../../core/manifest/entry.ts';
import type { Described } from './described-tree.ts';
import { binaryAcl, type Member, makeEntry } from './members.ts';

const ACCESS = binaryAcl([1, 7], [2, 6, 1234], [2, 4, 2_000_000_000], [4, 5], [8, 4, 48], [0x10, 7], [0x20, 4]);
const DEFAULT = binaryAcl([1, 7], [2, 7, 48], [4, 5], [0x10, 7], [0x20, 0]);
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex');

function xattrs(...pairs: [name: string, value: Buffer | string][]): Xattr[] {
  const made = pairs.map(([name, value]) => ({ name, value: Buffer.from(value as string, 'latin1') }));
  return made.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function file(path: string, text: string, more: Partial<Entry> = {}): Member {
  const content = Buffer.from(text, 'latin1');
  return { entry: makeEntry({ path, kind: 'file', size: content.length, ...more }), content };
}

function directory(path: string, more: Partial<Entry> = {}): Member {
  return { entry: makeEntry({ path, kind: 'directory', mtime: 1_600_000_000_000_000_001n, ...more }) };
}

function special(path: string, kind: Entry['kind'], more: Partial<Entry> = {}): Member {
  return { entry: makeEntry({ path, kind, ...more }) };
}

function sparse(path: string, size: number, ranges: DataRange[]): Member {
  const content = Buffer.concat(ranges.map(({ length }, index) => Buffer.alloc(length, `range ${index};`)));
  return { entry: makeEntry({ path, kind: 'file', size }), content, options: { sparse: ranges } };
}

function hardLink(path: string, to: Member): Member {
  return { entry: { ...to.entry, path, linkCount: 2 }, options: { linkTo: to.entry.path } };
}

/** Sets the link count of a member that gets another name. */
function linked(member: Member): Member {
  return { ...member, entry: { ...member.entry, linkCount: 2 } };
}

const MEBIBYTE = 1024 * 1024;

const linkedFile = linked(file('shadow/z-first', 'shared', { xattrs: xattrs(['user.shared', 'yes']) }));
const linkedSymlink = linked(special('shadow/link-first', 'symlink', { linkTarget: 'anywhere', mode: 0o777, size: 8 }));
const linkedFifo = linked(special('shadow/fifo-first', 'fifo'));

const DIRECTORIES = [
  directory('shadow', { uid: 1001, gid: 1001 }),
  directory('shadow/closed', { mode: 0 }),
  directory('shadow/default', {
    mode: 0o2775,
    gid: 1002,
    xattrs: xattrs(
      ['system.posix_acl_access', binaryAcl([1, 7], [2, 7, 48], [4, 7], [0x10, 7], [0x20, 5])],
      ['system.posix_acl_default', DEFAULT],
    ),
  }),
  directory('shadow/opaque', { mode: 0o1777, xattrs: xattrs(['trusted.overlay.opaque', 'y']) }),
  directory('shadow/links', { mode: 0o500 }),
  directory('shadow/not unicode \xfe'),
  ...Array.from({ length: 700 }, (_, depth) => directory(`shadow/${'deep/'.repeat(depth + 1).slice(0, -1)}`, { mode: 0o750 })),
]
  // Children before their parents: whoever makes a directory changes the time of the one around it.
  .reverse();

/** One of everything that a hosting account may hold and tar can express, in the order of a pack. */
export const TORTURE: readonly Member[] = [
  file('shadow/empty', ''),
  file('shadow/plain', 'hello\n', { mode: 0o600, uid: 1001, gid: 1002 }),
  file('shadow/whole-second', 'x', { mtime: 1_700_000_000_000_000_000n }),
  file('shadow/half-second-before-1970', 'x', { mtime: -500_000_000n }),
  file('shadow/before-1970', 'x', { mtime: -1_500_000_001n }),
  file('shadow/year-1910', 'x', { mtime: -1_893_456_000_000_000_000n }),
  file('shadow/after-2038', 'x', { mtime: 5_000_000_000_999_999_999n }),
  file('shadow/set-ids', 'x', { mode: 0o6755, uid: 1001, gid: 1001 }),
  file('shadow/large-ids', 'x', { uid: 4_000_000_000, gid: 2_097_152 }),
  file('shadow/acl', 'x', { mode: 0o774, xattrs: xattrs(['system.posix_acl_access', ACCESS]) }),
  file('shadow/capability', 'x', { mode: 0o755, xattrs: xattrs(['security.capability', CAPABILITY]) }),
  file('shadow/attributes', 'x', {
    xattrs: xattrs(
      ['user.empty', ''],
      ['user.binary', '\0\x01\n=\xff'],
      ['user.a=b', 'equals'],
      ['user.100%', 'percent'],
      ['user.%3D%25', 'escapes'],
      ['user.\xff\xfe', 'not unicode'],
      ['user.\xc3\xa9', 'unicode'],
      ['trusted.overlay.origin', '\0\xfb'],
    ),
  }),
  file('shadow/new\nline', 'x'),
  file('shadow/-rf', 'x'),
  file('shadow/unicode \xc3\xa9\xe2\x82\xac', 'x'),
  file('shadow/not unicode \xff\xfe', 'x'),
  file(`shadow/${'d'.repeat(93)}`, 'a path of 100 bytes'),
  file(`shadow/${'d'.repeat(94)}`, 'a path of 101 bytes'),
  file(`shadow/${'n'.repeat(255)}`, 'the longest name'),
  file(`shadow/${'deep/'.repeat(700)}file`, 'a long path'),
  sparse('shadow/sparse', 3 * MEBIBYTE, [
    { offset: 0, length: 4096 },
    { offset: MEBIBYTE, length: 8192 },
  ]),
  sparse('shadow/sparse odd end', 2 * MEBIBYTE + 4096 + 77, [{ offset: 2 * MEBIBYTE, length: 4096 + 77 }]),
  sparse('shadow/all hole', 5 * MEBIBYTE, []),
  sparse('shadow/sparse not unicode \xff', MEBIBYTE, [{ offset: 4096, length: 4096 }]),
  sparse(`shadow/sparse ${'s'.repeat(200)}`, MEBIBYTE, [{ offset: 4096, length: 4096 }]),
  special('shadow/whiteout', 'character-device', { mode: 0, deviceNumber: { major: 0, minor: 0 } }),
  special('shadow/device', 'character-device', { deviceNumber: { major: 1, minor: 3 }, xattrs: xattrs(['trusted.note', 'n']) }),
  special('shadow/disk', 'block-device', { deviceNumber: { major: 4095, minor: 1_048_575 } }),
  special('shadow/fifo', 'fifo', {
    mode: 0o620,
    xattrs: xattrs(['system.posix_acl_access', binaryAcl([1, 6], [2, 6, 7], [4, 0], [0x10, 2], [0x20, 0])]),
  }),
  special('shadow/relative', 'symlink', { linkTarget: 'plain', mode: 0o777, size: 5, uid: 1001, xattrs: xattrs(['trusted.on-link', 'l']) }),
  special('shadow/absolute', 'symlink', { linkTarget: '/etc/passwd', mode: 0o777, size: 11, xattrs: xattrs(['trusted.on-link', 'l']) }),
  special('shadow/links/absolute', 'symlink', { linkTarget: '/etc/passwd', mode: 0o777, size: 11 }),
  special('shadow/outside', 'symlink', { linkTarget: '../../x', mode: 0o777, size: 7 }),
  special('shadow/odd target', 'symlink', { linkTarget: 'not unicode \xff', mode: 0o777, size: 13 }),
  special('shadow/long target', 'symlink', { linkTarget: 't/'.repeat(600), mode: 0o777, size: 1200 }),
  special('shadow/before 1970 link', 'symlink', { linkTarget: 'x', mode: 0o777, size: 1, mtime: -1n }),
  linkedFile,
  linkedSymlink,
  linkedFifo,
  file('shadow/default/inside', 'must not inherit the default ACL'),
  file('shadow/closed/inside', 'x'),
  hardLink('shadow/a-second', linkedFile),
  hardLink('shadow/default/link-second', linkedSymlink),
  hardLink('shadow/fifo-second', linkedFifo),
  ...DIRECTORIES,
];

/** What a member must look like after extraction. */
export function expectedOf({ entry, content = Buffer.alloc(0), options }: Member): Described {
  const described: Described = {
    kind: entry.kind,
    mode: entry.mode.toString(8),
    owner: `${entry.uid}:${entry.gid}`,
    mtime: entry.mtime,
    linkCount: entry.linkCount,
    xattrs: Object.fromEntries(entry.xattrs.map(({ name, value }) => [name, value.toString('hex')])),
  };
  if (entry.linkTarget !== undefined) described.linkTarget = entry.linkTarget;
  if (entry.deviceNumber !== undefined) described.deviceNumber = `${entry.deviceNumber.major}:${entry.deviceNumber.minor}`;
  if (entry.kind !== 'file') return described;
  const linkTarget = options?.linkTo === undefined ? undefined : TORTURE.find((member) => member.entry.path === options.linkTo);
  const ranges = options?.sparse;
  const whole = ranges === undefined ? (linkTarget?.content ?? content) : Buffer.alloc(entry.size);
  let taken = 0;
  for (const { offset, length } of ranges ?? []) {
    content.copy(whole, offset, taken, taken + length);
    taken += length;
  }
  described.size = entry.size;
  described.sha256 = createHash('sha256').update(whole).digest('hex');
  if (ranges !== undefined) {
    // File systems hold whole blocks: an odd end is followed by nothing, so the ranges come out as they went in.
    described.ranges = ranges.map(({ offset, length }) => `${offset}+${length}`).join(' ');
  }
  return described;
}
