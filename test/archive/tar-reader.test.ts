import { expect } from 'chai';
import { tarHeader } from '../../core/archive/tar-header.ts';
import { TarReader } from '../../core/archive/tar-reader.ts';
import { TypeFlag, type UstarHeader, writeUstarHeader } from '../../core/archive/ustar.ts';
import { Failure } from '../../core/failure.ts';
import { makeEntry, tarOf } from './members.ts';
import { TORTURE } from './torture.ts';

const END = Buffer.alloc(1024);

function expectDamaged(tar: Buffer, what: string): void {
  const read = (): void => {
    const reader = new TarReader();
    reader.push(tar);
    reader.finish();
  };
  expect(read, what).to.throw(Failure).with.property('code', 'repository_damaged');
}

function header(given: Partial<UstarHeader>): Buffer {
  const block = Buffer.alloc(512);
  const base = { name: 'a', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0, typeFlag: TypeFlag.file, linkName: '', major: 0, minor: 0 };
  writeUstarHeader(block, 0, { ...base, ...given });
  return block;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** A pax header of these exact bytes, and the member that it belongs to. */
function withRecords(records: string, member: Partial<UstarHeader> = {}): Buffer {
  const bytes = Buffer.from(records, 'latin1');
  return Buffer.concat([header({ typeFlag: TypeFlag.pax, size: bytes.length }), padded(bytes), header(member), END]);
}

describe('The reader of tar archives', () => {
  it('takes what these tests are made of, so that each differs by its damage alone', () => {
    const reader = new TarReader();
    expect(reader.push(withRecords('11 path=ab\n', { name: 'ab' }))).to.have.length(1);
    reader.finish();
  });

  const malformed: Record<string, string> = {
    'a length that is too long': '12 path=ab\n',
    'a length that is too short': '10 path=ab\n',
    'a length that is not a number': 'xx path=ab\n',
    'a negative length': '-1 path=ab\n',
    'a hexadecimal length': '0xb path=ab\n',
    'no length': ' path=ab\n',
    'a length of zero': '0 path=ab\n',
    'a length with leading zeros': '011 path=ab\n',
    'a huge length': '99999999999999999999 path=ab\n',
    'no newline': '11 path=abc',
    'no blank': '11path=abc\n',
    'no equals sign': '11 path_ab\n',
    'no key': '7 =ab\n\n',
    'only a length': '3 \n',
    'a second record that is cut': '11 path=ab\n11 path',
    'a record twice': '11 path=ab\n11 path=ab\n',
    'a NUL in a path': '11 path=a\0\n',
    'an empty path': '9 path=\n',
    'an unknown key': '11 path=ab\n12 atime=12\n',
    'an unknown vendor key': '11 path=ab\n12 A.b=cdef\n',
    'a character set that is none': '11 path=ab\n20 hdrcharset=UTF-8\n',
    'a size that its field could say': '11 path=ab\n10 size=0\n',
    'a size that is not a number': '11 path=ab\n12 size=1e3\n',
    'a user id that its field could say': '11 path=ab\n11 uid=123\n',
    'a time without nine decimals': '11 path=ab\n12 mtime=1.\n',
    'a time that is not a number': '11 path=ab\n21 mtime=1.12345678x\n',
    'the text of an ACL alone': '11 path=ab\n27 SCHILY.acl.access=u::r\n',
    'an attribute without a name': '11 path=ab\n17 SCHILY.xattr.=\n',
    'half of a sparse file': '11 path=ab\n22 GNU.sparse.major=1\n',
  };
  for (const [what, records] of Object.entries(malformed)) {
    it(`rejects pax records with ${what} (attack case 20)`, () => {
      expectDamaged(withRecords(records, { name: 'ab' }), what);
    });
  }

  it('rejects headers that other readers could understand differently (attack case 20)', () => {
    const global = 'g'.charCodeAt(0);
    const records = Buffer.from('19 size=9663676416\n');
    const pax = [header({ typeFlag: TypeFlag.pax, size: records.length }), padded(records)];
    const cases: Record<string, Buffer[]> = {
      'a global header that sets sizes': [header({ typeFlag: global, size: records.length }), padded(records), header({}), END],
      'a size record that contradicts the field': [...pax, header({ size: 512 }), Buffer.alloc(512), END],
      'two pax headers in a row': [...pax, ...pax, header({}), END],
      'a pax header before the end': [...pax, END],
      'an empty pax header': [header({ typeFlag: TypeFlag.pax }), header({}), END],
      'a pax header of hostile length': [header({ typeFlag: TypeFlag.pax, size: 0o77777777777 }), END],
      'pax records with something in their padding': [
        pax[0]!,
        Buffer.concat([records, Buffer.alloc(512 - records.length, 'x')]),
        header({}),
        END,
      ],
      'a path record that contradicts the field': [withRecords('11 path=ab\n', { name: 'cd' })],
      'a long-name header of GNU tar': [header({ typeFlag: 'L'.charCodeAt(0), size: 1 }), padded(Buffer.from('x')), header({}), END],
      'an unknown type': [header({ typeFlag: 'V'.charCodeAt(0) }), END],
      'a link with content': [header({ typeFlag: TypeFlag.symlink, linkName: 'b', size: 5 }), padded(Buffer.from('hello')), END],
      'a link without a target': [header({ typeFlag: TypeFlag.symlink }), END],
      'a file with a target': [header({ linkName: 'b' }), END],
      'a file with a device number': [header({ minor: 3 }), END],
      'a directory without a slash': [header({ typeFlag: TypeFlag.directory }), END],
      'a file with a slash': [header({ name: 'a/' }), END],
      'a mode of more than 12 bits': [header({ mode: 0o100644 }), END],
      'content in the padding': [header({ size: 1 }), Buffer.alloc(512, 'x'), END],
      'something behind the end': [header({}), END, Buffer.alloc(512)],
      'one zero block between members': [header({}), Buffer.alloc(512), header({}), END],
      'no end': [header({})],
      'half an end': [header({}), Buffer.alloc(512)],
      nothing: [],
    };
    for (const [what, blocks] of Object.entries(cases)) expectDamaged(Buffer.concat(blocks), what);
  });

  it('rejects names that lead elsewhere (attack case 1)', () => {
    for (const name of ['../x', '/etc/x', 'a/../../x', 'a//b', './a', 'a/.', '..', '.', '/', '']) {
      expectDamaged(Buffer.concat([header({ name }), END]), JSON.stringify(name));
      expectDamaged(Buffer.concat([header({ typeFlag: TypeFlag.hardLink, linkName: name }), END]), JSON.stringify(name));
    }
  });

  it('rejects any header in which one bit is wrong', () => {
    const block = tarHeader(makeEntry({ path: 'shadow/a', kind: 'file', mtime: 0n }));
    for (let bit = 0; bit < block.length * 8; bit++) {
      const flipped = Buffer.from(block);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expectDamaged(Buffer.concat([flipped, END]), `bit ${bit}`);
    }
  });

  it('rejects sparse maps that do not add up', () => {
    const size = 8192;
    const sparse = (map: string, contentLength: number): Buffer => {
      const blocks = padded(Buffer.from(map));
      const records = `22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n23 GNU.sparse.name=abc\n28 GNU.sparse.realsize=${size}\n`;
      const archive = withRecords(records, { name: 'abc', size: blocks.length + contentLength });
      return Buffer.concat([archive.subarray(0, -END.length), blocks, padded(Buffer.alloc(contentLength, 'x')), END]);
    };
    const reader = new TarReader();
    expect(reader.push(sparse('2\n0\n512\n8192\n0\n', 512))).to.have.length(1);
    reader.finish();
    for (const [what, map, length] of [
      ['no numbers', 'x', 512],
      ['no ranges', '0\n', 512],
      ['fewer ranges than counted', '3\n0\n512\n8192\n0\n', 512],
      ['more ranges than counted', '1\n0\n512\n8192\n0\n', 512],
      ['a hostile count', '99999999999\n', 512],
      ['a number without end', `${'1'.repeat(600)}`, 512],
      ['a range behind the end', '1\n8192\n512\n', 512],
      ['ranges in the wrong order', '3\n1024\n512\n0\n512\n8192\n0\n', 1024],
      ['less data than the ranges', '2\n0\n1024\n8192\n0\n', 512],
      ['a range of odd length before another', '3\n0\n100\n512\n412\n8192\n0\n', 512],
      ['no mark of the hole at the end', '1\n0\n512\n', 512],
      ['an empty range in between', '3\n0\n512\n1024\n0\n8192\n0\n', 512],
      ['an empty line', '2\n\n0\n512\n8192\n0\n', 512],
    ] as const) {
      expectDamaged(sparse(map, length), what);
    }
  });

  it('rejects an archive that is cut anywhere', () => {
    const tar = Buffer.concat([tarOf(TORTURE.slice(0, 24)), END]);
    for (let length = 0; length < tar.length; length += 512) expectDamaged(tar.subarray(0, length), `cut to ${length}`);
  });

  it('needs no memory for content, however much is claimed', () => {
    const reader = new TarReader();
    const [member] = reader.push(tarHeader(makeEntry({ path: 'a', kind: 'file', size: 2 ** 52 })));
    expect(member).to.include({ size: 2 ** 52, contentLength: 2 ** 52 });
    reader.push(Buffer.alloc(1024));
    expect(() => reader.finish()).to.throw(Failure);
  });
});
