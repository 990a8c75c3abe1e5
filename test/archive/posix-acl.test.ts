import { expect } from 'chai';
import { aclText } from '../../core/archive/posix-acl.ts';
import { binaryAcl } from './members.ts';

describe('The text of a POSIX ACL', () => {
  it('names every entry with numeric ids', () => {
    const acl = binaryAcl([1, 7], [2, 6, 1234], [2, 0, 4_294_967_294], [4, 5], [8, 4, 48], [0x10, 3], [0x20, 1]);
    expect(aclText(acl)).to.equal('user::rwx,user:1234:rw-,user:4294967294:---,group::r-x,group:48:r--,mask::-wx,other::--x');
  });

  it('exists for the least ACL and one with a mask alone', () => {
    expect(aclText(binaryAcl([1, 6], [4, 4], [0x20, 0]))).to.equal('user::rw-,group::r--,other::---');
    expect(aclText(binaryAcl([1, 6], [4, 4], [0x10, 2], [0x20, 0]))).to.equal('user::rw-,group::r--,mask::-w-,other::---');
  });

  it('does not exist for values that no kernel would accept', () => {
    const good = binaryAcl([1, 6], [4, 4], [0x20, 0]);
    const otherVersion = Buffer.from(good);
    otherVersion.writeUInt32LE(3, 0);
    for (const value of [
      Buffer.alloc(0),
      good.subarray(0, 4),
      good.subarray(0, -1),
      Buffer.concat([good, Buffer.alloc(4)]),
      otherVersion,
      binaryAcl([1, 8], [4, 4], [0x20, 0]),
      binaryAcl([1, 6], [4, 4], [0x20, 0], [0x40, 0]),
      binaryAcl([1, 6], [4, 4]),
      binaryAcl([1, 6], [1, 6], [4, 4], [0x20, 0]),
      binaryAcl([1, 6], [2, 6, 5], [4, 4], [0x20, 0]),
      binaryAcl([1, 6], [4, 4], [0x10, 1], [0x10, 1], [0x20, 0]),
    ]) {
      expect(aclText(value), value.toString('hex')).to.equal(undefined);
    }
  });
});
