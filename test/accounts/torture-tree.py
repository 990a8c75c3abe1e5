#!/usr/bin/env python3
"""Makes a tree that holds one of everything which a Linux file system can hold and a backup can lose.

    torture-tree.py ROOT [--many N] [--levels N]

ROOT must not exist. `--many` is the number of entries in its largest directory, `--levels` the depth of its deepest one. The
tree is the same each time. Needs root and ext4 (or another file system with inode flags and trusted attributes).
"""
import argparse
import array
import fcntl
import os
import random
import resource
import stat
import struct
import sys

FS_IOC_SETFLAGS = 0x40086602
FS_IOC_GETFLAGS = 0x80086601
SYNCHRONOUS, IMMUTABLE, APPEND, NODUMP, NOATIME, DIRSYNC = 0x8, 0x10, 0x20, 0x40, 0x80, 0x10000
MEBIBYTE = 1 << 20
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 1, 2, 4, 8, 0x10, 0x20


def acl(*entries):
    """The kernel's binary form of an ACL from (tag, permissions[, id])."""
    packed = [struct.pack("<HHI", tag, bits, rest[0] if rest else 0xFFFFFFFF) for tag, bits, *rest in entries]
    return struct.pack("<I", 2) + b"".join(packed)


ACCESS = acl((USER_OBJ, 7), (USER, 7, 48), (USER, 4, 2_000_000_000), (GROUP_OBJ, 5), (GROUP, 4, 1003), (MASK, 7), (OTHER, 0))
DEFAULT = acl((USER_OBJ, 7), (USER, 6, 48), (GROUP_OBJ, 0), (MASK, 6), (OTHER, 0))


def write(name, data=b"", mode=0o644):
    with open(name, "wb") as made:
        made.write(data)
    os.chmod(name, mode)


def set_attribute(name, attribute, value):
    os.setxattr(name, attribute, value, follow_symlinks=False)


def make_names():
    os.mkdir("names")
    for byte in set(range(1, 256)) - {ord("/"), ord(".")}:
        write(b"names/" + bytes([byte]), bytes([byte]))
    odd = [b"-rf", b"--", b"...", b"..data", b" leading", b"trailing ", b"new\nline", b"tab\t", b"back\\slash", b"quo\"te's", b"*", b"$(id)"]
    odd += [b"\xc3\xa9", b"e\xcc\x81", b"\xff\xfe\xfd", b"\xed\xa0\x80", b"\xef\xbf\xbd", b"\xef\xbb\xbfbom", b"n" * 255, b"\xff" * 255, b"%41", b"%"]
    for name in odd:
        write(b"names/" + name, name)
    # Byte order of whole paths and of components differ here.
    os.mkdir("order")
    for name in ["a", "a b", "a!", "a-b", "a.b", "a0", "a\x01"]:
        os.mkdir(f"order/{name}")
        write(f"order/{name}/inside")


def make_sizes():
    os.mkdir("sizes")
    source = random.Random(1)
    around = [512, 4096, MEBIBYTE, 4 * MEBIBYTE, 8 * MEBIBYTE]
    for size in sorted({0, 1, *[middle + more for middle in around for more in (-1, 0, 1)]}):
        write(f"sizes/{size:08}", source.randbytes(size))
    write("sizes/zeros", bytes(5 * MEBIBYTE))
    write("sizes/repeated", b"the same again and again\n" * 400_000)


def make_sparse():
    os.mkdir("sparse")
    layouts = {
        "hole first": (MEBIBYTE + 4096, [(MEBIBYTE, 4096)]),
        "hole last": (3 * MEBIBYTE, [(0, 4096)]),
        "all hole": (100 * MEBIBYTE, []),
        "odd size": (2 * MEBIBYTE + 77, [(4096, 8192), (2 * MEBIBYTE, 77)]),
        "hole and odd end": (MEBIBYTE + 5, [(0, 4096)]),
        "huge": (20 << 30, [(10 << 30, 4096)]),
        "many pieces": (200 * 16384, [(piece * 16384, 4096) for piece in range(200)]),
        "large pieces": (40 * MEBIBYTE, [(0, 9 * MEBIBYTE), (20 * MEBIBYTE, 9 * MEBIBYTE)]),
    }
    source = random.Random(2)
    for name, (size, ranges) in layouts.items():
        with open(f"sparse/{name}", "wb") as made:
            made.truncate(size)
            for offset, length in ranges:
                os.pwrite(made.fileno(), source.randbytes(length), offset)
    os.link("sparse/hole first", "sparse/a second name")


def make_modes_and_owners():
    os.mkdir("modes")
    for mode in [0, 0o1, 0o111, 0o200, 0o444, 0o600, 0o777, 0o1777, 0o2755, 0o4755, 0o6755, 0o7777]:
        write(f"modes/file-{mode:04o}", b"x", mode)
        os.mkdir(f"modes/directory-{mode:04o}")
        write(f"modes/directory-{mode:04o}/inside", b"x")
        os.chmod(f"modes/directory-{mode:04o}", mode)
    os.mkdir("owners")
    for number in [1, 1001, 65534, 2_097_151, 2_097_152, 4_294_967_294]:
        for name, make in [("file", write), ("directory", os.mkdir), ("fifo", os.mkfifo), ("link", lambda name: os.symlink("x", name))]:
            made = f"owners/{name}-{number}"
            make(made)
            os.chown(made, number, number - 1, follow_symlinks=False)
            if name == "file":
                os.chmod(made, 0o6711)  # lost by a change of owner that comes after


def make_attributes():
    os.mkdir("attributes")
    os.mkdir("attributes/directory")
    write("attributes/file", b"x")
    attributes = {
        b"user.empty": b"",
        b"user.every byte": bytes(range(256)),
        b"user.a=b": b"equals",
        b"user.100%": b"percent",
        b"user.%3D%25": b"looks escaped",
        b"user.\xff\xfe": b"not unicode",
        b"user.new\nline": b"1\n2\n",
        b"user." + b"n" * 250: b"the longest name",
        b"trusted.secret": b"\0\1\2",
        b"trusted.overlay.origin": b"\0\xfb\x1d\0\1",
        b"security.note": b"label",
    }
    for place in ["attributes/file", "attributes/directory"]:
        for name, value in attributes.items():
            set_attribute(place, name, value)
    write("attributes/large value", b"x")
    set_attribute("attributes/large value", "user.large", random.Random(3).randbytes(3500))
    for count in range(40):
        write(f"attributes/shared {count:02}", b"x")
        set_attribute(f"attributes/shared {count:02}", "user.shared", b"the same set many times")
    write("attributes/capability", b"\x7fELF", 0o755)
    set_attribute("attributes/capability", "security.capability", CAPABILITY)
    write("attributes/owned capability", b"\x7fELF", 0o755)
    os.chown("attributes/owned capability", 1001, 1001)
    set_attribute("attributes/owned capability", "security.capability", CAPABILITY)


def make_acls():
    os.mkdir("acls")
    write("acls/file", b"x", 0o640)
    set_attribute("acls/file", "system.posix_acl_access", ACCESS)
    for name in ["directory", "directory/below"]:
        os.mkdir(f"acls/{name}")
        os.chown(f"acls/{name}", 1001, 1001)
        os.chmod(f"acls/{name}", 0o2770)
        set_attribute(f"acls/{name}", "system.posix_acl_access", ACCESS)
        set_attribute(f"acls/{name}", "system.posix_acl_default", DEFAULT)
    write("acls/directory/inherits")
    write("acls/directory/does not inherit")
    os.removexattr("acls/directory/does not inherit", "system.posix_acl_access")
    os.mkdir("acls/directory/plain")
    for attribute in ["system.posix_acl_access", "system.posix_acl_default"]:
        os.removexattr("acls/directory/plain", attribute)
    os.mkfifo("acls/fifo")
    set_attribute("acls/fifo", "system.posix_acl_access", ACCESS)


def make_links_and_special_files():
    os.mkdir("special")
    for name, target in [("relative", b"../names"), ("absolute", b"/etc/passwd"), ("dangling", b"nowhere"), ("loop", b"loop"), ("up", b"../../../.."),
                         ("odd", b"\xff\n "), ("long", b"t/" * 2047), ("of 100 bytes", b"h" * 100), ("of 101 bytes", b"h" * 101)]:
        os.symlink(target, f"special/link {name}".encode())
    os.mkfifo("special/fifo", 0o620)
    os.mknod("special/socket", stat.S_IFSOCK | 0o777)
    os.mknod("special/whiteout", stat.S_IFCHR, os.makedev(0, 0))
    os.mknod("special/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod("special/disk", stat.S_IFBLK | 0o660, os.makedev(4095, 1_048_575))
    os.mkdir("special/opaque")
    set_attribute("special/opaque", "trusted.overlay.opaque", b"y")
    for name in ["link dangling", "link absolute", "fifo", "socket", "whiteout", "null", "disk"]:
        set_attribute(f"special/{name}", "trusted.on special", b"\0" + name.encode())
        os.chown(f"special/{name}", 1001, 1002, follow_symlinks=False)
    os.mkdir("hard")
    # The name that sorts first was made last.
    for name in ["link dangling", "fifo", "socket", "whiteout", "null"]:
        os.link(f"special/{name}", f"hard/also {name}", follow_symlinks=False)
    write("hard/z original", b"shared content")
    os.link("hard/z original", "names/also z original")
    for count in range(300):
        os.link("hard/z original", f"hard/name {count:03}")
    write("hard/empty")
    os.link("hard/empty", "hard/empty too")
    write("hard/large", random.Random(4).randbytes(9 * MEBIBYTE))
    os.link("hard/large", "hard/a large one")


def make_times():
    os.mkdir("times")
    seconds = [-(1 << 31), -1_893_456_000, -1, 0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) + 5, 13_000_000_000]
    for second in seconds:
        for fraction in [0, 1, 500_000_000, 999_999_999]:
            name = f"times/{second}.{fraction}"
            [write, os.mkdir, os.mkfifo, lambda made: os.symlink("x", made)][fraction % 4](name)
            os.utime(name, ns=(0, second * 10**9 + fraction), follow_symlinks=False)


def make_depth(levels):
    """`levels` directories below each other, and paths longer than PATH_MAX; only descriptors lead there."""
    for top, name, count in [("deep", "d", levels), ("long", "l" * 250, 20)]:
        os.mkdir(top)
        here = os.open(top, os.O_RDONLY)
        for level in range(count):
            os.mkdir(name, dir_fd=here)
            below = os.open(name, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
            if level % 10 == 9:
                with open(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here), "wb") as made:
                    made.write(b"level %d" % level)
                    os.setxattr(made.fileno(), "user.level", b"%d" % level)
        os.symlink("target", "link", dir_fd=here)
        os.mkfifo("fifo", dir_fd=here)
        os.link("file", "file too", src_dir_fd=here, dst_dir_fd=here)
        os.close(here)


def make_many(count):
    os.mkdir("many")
    here = os.open("many", os.O_RDONLY)
    for number in range(count):
        os.close(os.open(f"entry {number}", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=here))
    os.close(here)


def settle_times(directory, moment):
    """Gives every directory a time of its own, after its children were made."""
    for name in sorted(map(os.fsencode, os.listdir(directory))):
        if stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
            child = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
            moment = settle_times(child, moment + 1_000_000_007)
            os.close(child)
            os.utime(name, ns=(0, moment), dir_fd=directory, follow_symlinks=False)
    return moment


def add_flags(name, flags):
    descriptor = os.open(name, os.O_RDONLY)
    word = array.array("L", [0])
    fcntl.ioctl(descriptor, FS_IOC_GETFLAGS, word, True)
    word[0] |= flags
    fcntl.ioctl(descriptor, FS_IOC_SETFLAGS, word)
    os.close(descriptor)


def make_flags():
    os.mkdir("flags")
    flags = {"immutable": IMMUTABLE, "append": APPEND, "nodump": NODUMP, "noatime": NOATIME, "synchronous": SYNCHRONOUS}
    for name in flags:
        write(f"flags/{name}", name.encode())
        os.mkdir(f"flags/{name} directory")
        write(f"flags/{name} directory/inside", b"x")
    os.mkdir("flags/dirsync directory")
    os.link("flags/immutable", "flags/immutable too")
    os.chown("flags/append", 1001, 1001)
    set_attribute("flags/append", "system.posix_acl_access", ACCESS)
    set_attribute("flags/immutable directory", "system.posix_acl_default", DEFAULT)
    return [*((f"flags/{name}{kind}", bits) for name, bits in flags.items() for kind in ("", " directory")), ("flags/dirsync directory", DIRSYNC)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("root")
    arguments.add_argument("--many", type=int, default=50_000)
    arguments.add_argument("--levels", type=int, default=1100)
    chosen = arguments.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.setrecursionlimit(100 + 2 * chosen.levels)
    os.umask(0o022)
    os.mkdir(chosen.root)
    os.chdir(chosen.root)
    make_names()
    make_sizes()
    make_sparse()
    make_modes_and_owners()
    make_attributes()
    make_acls()
    make_links_and_special_files()
    make_depth(chosen.levels)
    make_many(chosen.many)
    flags = make_flags()
    os.chmod(".", 0o2751)
    set_attribute(".", "system.posix_acl_default", DEFAULT)
    top = os.open(".", os.O_RDONLY)
    settle_times(top, 1_600_000_000_123_456_789)
    make_times()
    os.utime("times", ns=(0, -1))
    os.utime(".", ns=(0, -1_234_567_890_987_654_321))
    for name, bits in flags:
        add_flags(name, bits)


main()
