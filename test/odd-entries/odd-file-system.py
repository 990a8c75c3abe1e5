"""A small read-only file system in memory whose entries fail as their names say: odd-file-system.py FOLDER NAME…

Each NAME is an entry of the top folder. KIND-CALL-NUMBER (KIND: file, link, folder) is one of which CALL fails with that error
number: open, read, readlink, getattr (each look at it), again (each but the first), listxattr, getxattr, opendir, readdir, flush.
twice-KIND-NAME is named twice by the listing. endless-folder-NAME is a folder whose listing never ends. Any other name is a sound
file. Every file holds its own name, every folder a file `inside`. Ends when it is unmounted.
"""
import errno, itertools, os, stat, sys, pyfuse3, trio

FOLDER, NAMES = os.fsencode(sys.argv[1]), [os.fsencode(name) for name in sys.argv[2:]]
KINDS = {b'file': stat.S_IFREG | 0o644, b'link': stat.S_IFLNK | 0o777, b'folder': stat.S_IFDIR | 0o755}
TOP = pyfuse3.ROOT_INODE
FIRST, INSIDE = TOP + 1, 1_000_000  # entry n is FIRST + n, what is in it INSIDE + n
BORN = 1_700_000_000 * 10**9


class Odd(pyfuse3.Operations):
    def __init__(self):
        super().__init__()
        self.looked = set()

    def name(self, inode):
        return b'' if inode == TOP else b'inside' if inode >= INSIDE else NAMES[inode - FIRST]

    def part(self, inode, index):
        parts = self.name(inode).split(b'-')
        return parts[index] if len(parts) > index else b''

    def mode(self, inode):
        if inode == TOP:
            return KINDS[b'folder']
        which = 1 if self.part(inode, 0) in (b'twice', b'endless') else 0
        return KINDS.get(self.part(inode, which), KINDS[b'file'])

    def fail(self, call, inode):
        if self.part(inode, 0) in KINDS and self.part(inode, 1) == call:
            raise pyfuse3.FUSEError(int(self.part(inode, 2)))

    def attributes(self, inode):
        a = pyfuse3.EntryAttributes()
        a.st_ino, a.st_mode, a.st_nlink, a.st_uid, a.st_gid = inode, self.mode(inode), 1, 0, 0
        a.st_atime_ns = a.st_mtime_ns = a.st_ctime_ns = BORN
        a.st_size = 0 if stat.S_ISDIR(a.st_mode) else len(self.name(inode))
        a.entry_timeout = a.attr_timeout = 0
        return a

    async def getattr(self, inode, ctx=None):
        self.fail(b'getattr', inode)
        if inode in self.looked:
            self.fail(b'again', inode)
        self.looked.add(inode)
        return self.attributes(inode)

    async def lookup(self, parent, name, ctx=None):
        if parent == TOP and name in NAMES:
            inode = FIRST + NAMES.index(name)
            self.fail(b'getattr', inode)
            return self.attributes(inode)
        if parent != TOP and name == b'inside':
            return self.attributes(INSIDE + parent - FIRST)
        raise pyfuse3.FUSEError(errno.ENOENT)

    async def opendir(self, inode, ctx):
        self.fail(b'opendir', inode)
        return inode

    async def readdir(self, inode, start, token):
        self.fail(b'readdir', inode)
        for number, entry in enumerate(itertools.islice(self.listing(inode), start, None), start):
            if not pyfuse3.readdir_reply(token, *entry, number + 1):
                return

    def listing(self, inode):
        if inode != TOP:
            names = [b'inside'] if self.part(inode, 0) != b'endless' else (b'%0200d' % n for n in itertools.count())
            return ((name, self.attributes(INSIDE + inode - FIRST)) for name in names)
        twice = [name for name in NAMES if name.startswith(b'twice-')]
        return ((name, self.attributes(FIRST + NAMES.index(name))) for name in NAMES + twice)

    async def open(self, inode, flags, ctx):
        self.fail(b'open', inode)
        return pyfuse3.FileInfo(fh=inode)

    async def read(self, inode, offset, size):
        self.fail(b'read', inode)
        return self.name(inode)[offset:offset + size]

    async def flush(self, inode):
        self.fail(b'flush', inode)

    async def readlink(self, inode, ctx):
        self.fail(b'readlink', inode)
        return self.name(inode)

    async def listxattr(self, inode, ctx):
        self.fail(b'listxattr', inode)
        return [b'user.note'] if self.part(inode, 1) == b'getxattr' else []

    async def getxattr(self, inode, name, ctx):
        self.fail(b'getxattr', inode)
        raise pyfuse3.FUSEError(pyfuse3.ENOATTR)


pyfuse3.init(Odd(), os.fsdecode(FOLDER), set(pyfuse3.default_options) | {'fsname=odd', 'allow_other'})
print('mounted', flush=True)
try:
    trio.run(pyfuse3.main)
finally:
    pyfuse3.close(unmount=True)
