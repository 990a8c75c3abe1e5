#!/usr/bin/env python3
"""Takes the immutable and append-only flags from everything below a directory, however deep it is.

    remove-flags.py ROOT
"""
import array
import fcntl
import os
import resource
import stat
import sys

FS_IOC_SETFLAGS = 0x40086602
FS_IOC_GETFLAGS = 0x80086601
PROTECTING = 0x10 | 0x20


def release(descriptor):
    word = array.array("L", [0])
    try:
        fcntl.ioctl(descriptor, FS_IOC_GETFLAGS, word, True)
        if word[0] & PROTECTING:
            word[0] &= ~PROTECTING
            fcntl.ioctl(descriptor, FS_IOC_SETFLAGS, word)
    except OSError as error:
        if error.errno not in (22, 25, 95):  # EINVAL, ENOTTY, EOPNOTSUPP: no flags here
            raise


def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    levels = []

    def enter(descriptor):
        release(descriptor)
        levels.append((descriptor, os.listdir(descriptor)))

    enter(os.open(sys.argv[1], os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY))
    while levels:
        directory, names = levels[-1]
        if not names:
            os.close(directory)
            levels.pop()
            continue
        name = names.pop()
        mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            continue
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
        if stat.S_ISDIR(mode):
            enter(descriptor)
        else:
            release(descriptor)
            os.close(descriptor)


main()
