import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { type CompareOptions, compareDescriptions, compareTrees, compareTreesFully, PROPERTIES, type Property } from './compare-trees.ts';
import { describeTree, saveDescription, savedDescription } from './description.ts';

/** Makes one of everything that can be changed below; run in an empty directory. */
const MAKE_TREE = String.raw`
import os, socket
def write(name, data=b"content", size=None):
    with open(name, "wb") as made:
        made.write(data)
        if size is not None: made.truncate(size)
for folder in ["folder", "folder/below", "closed"]: os.mkdir(folder)
for name in ["file", "folder/inside", "folder/below/deep", "a-b", b"bytes\xff", "new\nline", "linked", "single"]: write(name)
write("sparse", b"data", 1 << 20)
os.link("linked", "folder/linked too")
os.symlink("anywhere", "link"); os.link("link", "link too", follow_symlinks=False)
os.mkfifo("fifo"); os.mknod("whiteout", 0o020000, 0); os.mknod("null", 0o020600, os.makedev(1, 3))
socket.socket(socket.AF_UNIX).bind("socket")
os.setxattr("file", "user.one", b"value"); os.setxattr("link", "trusted.two", b"\0\xff", follow_symlinks=False)
os.setxattr("file", b"user.\xff", b"")
os.chmod("closed", 0)
for top, folders, files in os.walk(b".", topdown=False):
    for name in folders + files: os.utime(os.path.join(top, name), ns=(0, 1234567890123456789), follow_symlinks=False)
os.utime(".", ns=(0, 5))
`;

function python(code: string, cwd: string): Promise<unknown> {
  return execa('/usr/bin/python3', ['-c', code], { cwd });
}

/** What is done to the second tree, and the one difference that must be found. */
const CHANGES: readonly [what: string, change: string, path: string, property: Property][] = [
  ['a missing file', 'os.unlink("file")', 'file', 'presence'],
  ['a file too many', 'os.close(os.open("file2", os.O_CREAT))', 'file2', 'presence'],
  ['a missing name of bytes', 'os.unlink(b"bytes\\xff")', 'bytes\xff', 'presence'],
  ['another kind', 'os.unlink("fifo"); os.mknod("fifo", 0o140644); keep("fifo")', 'fifo', 'kind'],
  ['one byte of content', 'open("single", "r+").write("C"); keep("single")', 'single', 'content'],
  ['the size', 'os.truncate("sparse", (1 << 20) + 4096); keep("sparse")', 'sparse', 'size'],
  ['holes filled with zeros', 'open("sparse", "r+b").write(b"data" + bytes((1 << 20) - 4)); keep("sparse")', 'sparse', 'data ranges'],
  ['the mode of a file', 'os.chmod("single", 0o4644)', 'single', 'mode'],
  ['the mode of a closed directory', 'os.chmod("closed", 0o100)', 'closed', 'mode'],
  ['the owner', 'os.chown("single", 12, -1)', 'single', 'owner'],
  ['the owner of a link', 'os.chown("link", 12, -1, follow_symlinks=False)', 'link', 'owner'],
  ['the group', 'os.chown("folder", -1, 12)', 'folder', 'group'],
  ['one nanosecond', 'os.utime("folder/below/deep", ns=(0, 1234567890123456788))', 'folder/below/deep', 'modification time'],
  ['the time of the root', 'os.utime(".", ns=(0, 6))', '', 'modification time'],
  ['an ACL', 'os.setxattr("single", "system.posix_acl_access", bytes.fromhex(ACL))', 'single', 'ACLs'],
  ['a default ACL', 'os.setxattr("folder", "system.posix_acl_default", bytes.fromhex(ACL))', 'folder', 'ACLs'],
  ['a lost attribute', 'os.removexattr("file", "user.one")', 'file', 'other attributes'],
  ['an attribute with an odd name', 'os.removexattr("file", b"user.\\xff")', 'file', 'other attributes'],
  ['an attribute value', 'os.setxattr("link", "trusted.two", b"\\0", follow_symlinks=False)', 'link', 'other attributes'],
  ['an attribute of a device', 'os.setxattr("whiteout", "trusted.three", b"")', 'whiteout', 'other attributes'],
  ['a capability', 'os.setxattr("single", "security.capability", bytes.fromhex(CAPABILITY))', 'single', 'other attributes'],
  ['an inode flag', 'subprocess.check_call(["chattr", "+d", "single"])', 'single', 'inode flags'],
  ['a broken hard link', 'copy("linked")', 'linked', 'hard links'],
  ['a broken link of links', 'os.unlink("link too"); os.symlink("anywhere", "link too"); keep("link too")', 'link too', 'hard links'],
  ['a link count', 'os.link("single", "/proc/self/cwd/../" + OUTSIDE)', 'single', 'link count'],
  ['a link target', 'os.unlink("link"); os.symlink("elsewhere", "link"); keep("link")', 'link', 'link target'],
  ['a device number', 'os.unlink("null"); os.mknod("null", 0o020600, os.makedev(1, 5)); keep("null")', 'null', 'device number'],
];

const PRELUDE = `
import os, shutil, subprocess
ACL = "0200000001000600ffffffff020007000700000004000400ffffffff10000700ffffffff20000400ffffffff"
CAPABILITY = "0100000200040000000000000000000000000000"
OUTSIDE = "outside"
def keep(name): os.utime(name, ns=(0, 1234567890123456789), follow_symlinks=False)
def copy(name): shutil.copy2(name, "new"); os.chmod("new", 0o644); os.rename("new", name); keep(name)
`;

describe('the fidelity comparison', () => {
  let place: string;
  let first: string;
  let second: string;

  beforeEach(async () => {
    place = mkdtempSync(join(tmpdir(), 'fidelity-'));
    first = join(place, 'first');
    second = join(place, 'second');
    for (const tree of [first, second]) {
      await execa('mkdir', [tree]);
      await python(MAKE_TREE, tree);
    }
  });

  afterEach(() => rmSync(place, { recursive: true, force: true }));

  it('finds nothing between equal trees and compares every property', async () => {
    const comparison = await compareTreesFully(first, second);
    expect(comparison.differences).to.deep.equal([]);
    expect([...comparison.compared.keys()]).to.have.members([...PROPERTIES]);
    expect(comparison.entries).to.equal(20);
  });

  for (const [what, change, path, property] of CHANGES) {
    it(`reports ${what}`, async () => {
      await python(`${PRELUDE}${change}`, second);
      const found = await compareTrees(first, second);
      expect(found.map((difference) => `${difference.path}: ${difference.property}`)).to.include(`${path}: ${property}`);
    });
  }

  it('leaves out what it is told to', async () => {
    await python(`${PRELUDE}os.setxattr("file", "user.one", b"other"); os.chmod("single", 0o600); os.unlink("folder/inside")`, second);
    const options: CompareOptions = { ignoreXattrs: ['user.one'], ignoreProperties: ['mode'], exclude: ['folder'] };
    expect(await compareTrees(first, second, options)).to.deep.equal([]);
    expect(await compareTrees(first, second)).to.have.length(4);
  });

  it('takes whiteouts that the kernel made again for equal only when told to', async () => {
    await python(`${PRELUDE}os.utime("whiteout", ns=(0, 1))`, second);
    expect(await compareTrees(first, second, { whiteoutsByName: true })).to.deep.equal([]);
    expect(await compareTrees(first, second)).to.have.length(1);
  });

  it('compares with a description saved earlier', async () => {
    const file = join(place, 'saved');
    await saveDescription(first, file);
    await python(`${PRELUDE}os.unlink("folder/below/deep")`, first);
    const { differences } = await compareDescriptions(savedDescription(file), describeTree(first));
    expect(differences.map(({ path, property }) => `${path}: ${property}`)).to.have.members([
      'folder/below: modification time',
      'folder/below/deep: presence',
    ]);
  });

  it('fails rather than compare a tree that it cannot read', async () => {
    let failed = false;
    await compareTrees(first, join(place, 'nowhere')).catch(() => {
      failed = true;
    });
    expect(failed).to.equal(true);
  });
});
