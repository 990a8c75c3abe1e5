import { expect } from 'chai';
import fc from 'fast-check';
import { padding, tarHeader, tarHeaderLengthBound, writeTarHeader } from '../../core/archive/tar-header.ts';
import type { TarMember } from '../../core/archive/tar-member.ts';
import { TarReader } from '../../core/archive/tar-reader.ts';
import { Failure } from '../../core/failure.ts';
import type { Entry } from '../../core/manifest/entry.ts';
import { type Member, makeEntry, tarOf } from './members.ts';
import { TORTURE } from './torture.ts';

const END = Buffer.alloc(1024);

function readAll(tar: Buffer, pieceLength = tar.length): TarMember[] {
  const reader = new TarReader();
  const members: TarMember[] = [];
  for (let at = 0; at < tar.length; at += pieceLength) members.push(...reader.push(tar.subarray(at, at + pieceLength)));
  reader.finish();
  return members;
}

/** The member that a reader should see. */
function seen({ entry, options }: Member): Omit<TarMember, 'contentOffset' | 'contentLength'> {
  const isLink = options?.linkTo !== undefined;
  return {
    path: entry.path,
    kind: isLink ? 'hard-link' : (entry.kind as TarMember['kind']),
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: isLink || entry.kind !== 'file' ? 0 : entry.size,
    mtime: entry.mtime,
    linkPath: options?.linkTo ?? entry.linkTarget ?? '',
    deviceNumber: entry.deviceNumber ?? { major: 0, minor: 0 },
    xattrs: isLink ? [] : entry.xattrs,
    ...(options?.sparse === undefined ? {} : { sparse: options.sparse }),
  };
}

const bytes = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: 1, maxLength }).map((given) => Buffer.from(given).latin1Slice().replaceAll('\0', '0'));
const component = bytes(255).map((name) => {
  const harmless = name.replaceAll('/', '-');
  return harmless === '.' || harmless === '..' ? 'dots' : harmless;
});
const path = fc.array(component, { minLength: 1, maxLength: 8 }).map((components) => components.join('/'));
const xattrs = fc.uniqueArray(
  fc.record({ name: bytes(30).map((name) => `user.${name}`), value: fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value)) }),
  { selector: ({ name }) => name, maxLength: 6 },
);
const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    path,
    kind: fc.constantFrom<Entry['kind'][]>('file', 'directory', 'symlink', 'fifo', 'character-device', 'block-device'),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 0xffffffff }),
    gid: fc.integer({ min: 0, max: 0xffffffff }),
    size: fc.nat(3000),
    mtime: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    target: bytes(4095),
    device: fc.record({ major: fc.integer({ min: 0, max: 4095 }), minor: fc.integer({ min: 0, max: 1_048_575 }) }),
    xattrs,
  })
  .map(({ target, device, ...given }) =>
    makeEntry({
      ...given,
      size: given.kind === 'file' ? given.size : 0,
      ...(given.kind === 'symlink' ? { linkTarget: target } : {}),
      ...(given.kind.endsWith('device') ? { deviceNumber: device } : {}),
    }),
  );

describe('A tar header', () => {
  it('says everything about any entry, within its bound', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 4 }), fc.integer({ min: 1, max: 3000 }), (entries, pieceLength) => {
        const members = entries.map((entry) => ({ entry, content: Buffer.alloc(entry.size, 'c') }));
        for (const { entry } of members) expect(tarHeader(entry).length).to.be.at.most(tarHeaderLengthBound(entry));
        const read = readAll(Buffer.concat([tarOf(members), END]), pieceLength);
        expect(read.map(({ contentOffset: _, contentLength: __, ...member }) => member)).to.deep.equal(members.map(seen));
      }),
    );
  });

  it('leads to the content of every kind of member', () => {
    const tar = Buffer.concat([tarOf(TORTURE), END]);
    for (const pieceLength of [tar.length, 4096, 513, 100]) {
      const members = readAll(tar, pieceLength);
      members.forEach(({ contentOffset, contentLength, ...member }, index) => {
        const expected = TORTURE[index]!;
        expect(member).to.deep.equal(seen(expected));
        expect(tar.subarray(contentOffset, contentOffset + contentLength)).to.deep.equal(expected.content ?? Buffer.alloc(0));
      });
    }
  });

  it('is one block when its fields can say all, and three otherwise', () => {
    const narrow = makeEntry({ path: 'a'.repeat(100), kind: 'file', mtime: 1_000_000_000n, uid: 0o7777777, size: 0o77777777777 });
    expect(tarHeader(narrow)).to.have.length(512);
    for (const wider of [{ path: 'a'.repeat(101) }, { path: '\x80' }, { mtime: 1n }, { uid: 0o10000000 }, { size: 0o100000000000 }]) {
      expect(
        tarHeader({ ...narrow, ...wider }),
        JSON.stringify(wider, (_, value) => String(value)),
      ).to.have.length(1536);
    }
    expect(tarHeader({ ...narrow, path: 'a'.repeat(99), kind: 'directory' })).to.have.length(512);
    expect(tarHeader({ ...narrow, path: 'a'.repeat(100), kind: 'directory' })).to.have.length(1536);
  });

  it('has the records that the format describes, byte for byte', () => {
    const acl = Buffer.from('0200000001000600ffffffff04000400ffffffff20000000ffffffff', 'hex');
    const entry = makeEntry({
      path: 'shadow/\xff',
      kind: 'file',
      size: 9 * 1024 ** 3,
      uid: 4_000_000_000,
      mtime: -1_500_000_000n,
      xattrs: [
        { name: 'system.posix_acl_access', value: acl },
        { name: 'user.a=%', value: Buffer.from('1\n2') },
      ],
    });
    const header = tarHeader(entry);
    const length = Number.parseInt(header.latin1Slice(124, 135), 8);
    expect(header.latin1Slice(512, 512 + length)).to.equal(
      '21 hdrcharset=BINARY\n' +
        '17 path=shadow/\xff\n' +
        '19 size=9663676416\n' +
        '18 uid=4000000000\n' +
        '22 mtime=-1.500000000\n' +
        '53 SCHILY.acl.access=user::rw-,group::r--,other::---\n' +
        `69 SCHILY.xattr.system.posix_acl_access=${acl.latin1Slice()}\n` +
        '33 SCHILY.xattr.user.a%3D%25=1\n2\n',
    );
    expect(header.latin1Slice(1024, 1032)).to.equal('shadow/\xff');
  });

  it('is written into a used buffer without leaving anything of what was there', () => {
    for (const { entry, options } of TORTURE) {
      const clean = tarHeader(entry, options);
      const used = Buffer.alloc(clean.length + 700, 0xaa);
      expect(writeTarHeader(used, 300, entry, options)).to.equal(300 + clean.length);
      expect(used.subarray(300, 300 + clean.length).equals(clean)).to.equal(true);
      expect(
        used.subarray(0, 300).every((byte) => byte === 0xaa) && used.subarray(300 + clean.length).every((byte) => byte === 0xaa),
      ).to.equal(true);
    }
  });

  it('keeps an ACL that no kernel would accept as an attribute alone', () => {
    const value = Buffer.from('nonsense');
    const [member] = readAll(
      Buffer.concat([tarHeader(makeEntry({ path: 'a', kind: 'file', xattrs: [{ name: 'system.posix_acl_access', value }] })), END]),
    );
    expect(member!.xattrs).to.deep.equal([{ name: 'system.posix_acl_access', value }]);
  });

  it('does not exist for sockets, nor for more attributes than a reader would take', () => {
    expect(() => tarHeader(makeEntry({ path: 'a', kind: 'socket' }))).to.throw(Failure);
    const many = Array.from({ length: 260 }, (_, index) => ({ name: `user.${index}`, value: Buffer.alloc(65_536) }));
    expect(() => tarHeader(makeEntry({ path: 'a', kind: 'file', xattrs: many })))
      .to.throw(Failure)
      .with.property('code', 'unsupported');
  });

  it('is followed by content that is padded to whole blocks', () => {
    expect([0, 1, 511, 512, 513].map(padding)).to.deep.equal([0, 511, 1, 0, 511]);
  });
});
