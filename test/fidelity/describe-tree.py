#!/usr/bin/env python3
"""Prints every property of every entry of a tree, one JSON object a line.

    describe-tree.py ROOT

Entries come in the order of their path components, the root first with the path "". Names, link targets and attribute names
are bytes, written as latin1 text. Shares nothing with the program that is tested: it has its own walk and its own calls.
"""
import array
import fcntl
import hashlib
import json
import os
import resource
import stat
import sys

O_PATH = 0o10000000
FS_IOC_GETFLAGS = 0x80086601
# How the file system stores an inode, not what anybody set: indexed directory, huge file, extents, attribute inode, inline
# data, and the encryption, verity and case-folding marks that no ioctl of chattr(1) can set.
STORAGE_FLAGS = 0x1000 | 0x40000 | 0x80000 | 0x200000 | 0x10000000 | 0x800 | 0x100000 | 0x40000000
BLOCK = 1 << 20

KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character-device",
    stat.S_IFBLK: "block-device",
}


def text(raw):
    return raw.decode("latin-1")


def extended_attributes(handle):
    # Through the O_PATH descriptor: the entry itself, also of links, special files and what lies deeper than PATH_MAX.
    place = f"/proc/self/fd/{handle}"
    try:
        names = os.listxattr(place)
    except OSError as error:
        if error.errno == 95:  # EOPNOTSUPP: this file system has none
            return {}
        raise
    return {text(os.fsencode(name)): os.getxattr(place, os.fsencode(name)).hex() for name in sorted(names)}


def inode_flags(descriptor):
    word = array.array("L", [0])
    try:
        fcntl.ioctl(descriptor, FS_IOC_GETFLAGS, word, True)
    except OSError:
        return 0
    return word[0] & 0xFFFFFFFF & ~STORAGE_FLAGS


def data_ranges(descriptor, size):
    at = 0
    while at < size:
        try:
            start = os.lseek(descriptor, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == 6:  # ENXIO: nothing but a hole from here
                return
            raise
        if start >= size:
            return
        at = min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
        yield start, at - start


def describe_content(descriptor, size, described):
    """Digest of the content, and the ranges that hold data when those are not the whole file.

    The digest is of the blocks that are not all zeros, each behind its number: it is the same wherever the holes are, and a
    file of terabytes with little in it costs little.
    """
    digest = hashlib.sha256()
    ranges = list(data_ranges(descriptor, size))
    zeros = bytes(BLOCK)
    number = 0
    for offset, length in ranges:
        number = max(number, offset // BLOCK)
        while number * BLOCK < offset + length:
            block = os.pread(descriptor, BLOCK, number * BLOCK)
            if len(block) != min(BLOCK, size - number * BLOCK):
                raise EOFError("the file became shorter while it was described")
            if block != zeros[: len(block)]:
                digest.update(number.to_bytes(8, "big") + block)
            number += 1
    described["content"] = digest.hexdigest()
    if size > 0 and ranges != [(0, size)]:
        described["data"] = " ".join(f"{offset}+{length}" for offset, length in ranges)


def reopen(handle, more):
    return os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOATIME | more)


def describe(directory, name, path, first_names):
    """The properties of one entry, and for a directory a descriptor to list it."""
    handle = os.open(name, O_PATH | os.O_NOFOLLOW, dir_fd=directory)
    try:
        found = os.fstat(handle)
        kind = KINDS[stat.S_IFMT(found.st_mode)]
        described = {
            "path": text(path),
            "kind": kind,
            "mode": oct(stat.S_IMODE(found.st_mode)),
            "uid": found.st_uid,
            "gid": found.st_gid,
            "mtime": str(found.st_mtime_ns),
            "xattrs": extended_attributes(handle),
        }
        child = None
        if kind == "directory":
            child = reopen(handle, os.O_DIRECTORY)
            described["flags"] = inode_flags(child)
            return described, child
        if found.st_nlink > 1:
            described["linkCount"] = found.st_nlink
            described["firstName"] = first_names.setdefault((found.st_dev, found.st_ino), described["path"])
        if kind == "symlink":
            described["target"] = text(os.readlink(b"", dir_fd=handle))
        elif kind.endswith("device"):
            described["device"] = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
        elif kind == "file":
            described["size"] = found.st_size
            content = reopen(handle, 0)
            try:
                described["flags"] = inode_flags(content)
                describe_content(content, found.st_size, described)
            finally:
                os.close(content)
        return described, None
    finally:
        os.close(handle)


def walk(root):
    first_names = {}
    described, top = describe(None, root, b"", first_names)
    yield described
    # Of each open directory its descriptor, its path and the names still to come, the next one last.
    levels = []

    def enter(descriptor, path):
        levels.append((descriptor, path, sorted(map(os.fsencode, os.listdir(descriptor)), reverse=True)))

    if top is not None:
        enter(top, b"")
    while levels:
        directory, path, names = levels[-1]
        if not names:
            os.close(directory)
            levels.pop()
            continue
        name = names.pop()
        child_path = path + b"/" + name if path else name
        described, child = describe(directory, name, child_path, first_names)
        yield described
        if child is not None:
            enter(child, child_path)


def main():
    # One descriptor a level is held, and a tree may have thousands of them.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for described in walk(os.fsencode(sys.argv[1])):
        sys.stdout.write(json.dumps(described, separators=(",", ":")) + "\n")


main()
