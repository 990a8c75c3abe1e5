"""Makes, in a folder, the trees of a small account as they were at a moment (0 to 3): python3 account.py FOLDER MOMENT"""

import hashlib
import os
import sys

DAY = 86_400 * 10**9
FIRST = 1_790_000_000_123_456_789


def noise(word, length):
    return hashlib.shake_256(word.encode()).digest(length)


def write(path, content, mode=0o644, owner=(1001, 1001)):
    with open(path, "wb") as file:
        file.write(content)
    os.chown(path, *owner)
    os.chmod(path, mode)


def large(lines):
    """More than a large file has to have, and next to nothing when it is compressed."""
    return b"".join(b"%06d " % line + b"x" * 65_529 + b"\n" for line in range(80)) + b"".join(b"line %d\n" % line for line in range(lines))


def moment_0():
    for folder in ["shadow/var/www/html", "shadow/home/admin1/Mail/cur", "shadow/hidden", "info/current"]:
        os.makedirs(folder)
    write("info/current/siteinfo", b"[DEFAULT]\ndomain = example.test\nadmin_user = admin1\n", 0o600, (0, 0))
    write("shadow/var/www/html/index.php", b"<?php echo 'first';\n")
    write("shadow/var/www/html/picture", noise("picture", 9000))
    write("shadow/var/www/html/log", large(1))
    write("shadow/home/admin1/Mail/cur/1:2,S", b"Subject: one\n\ntext\n", 0o600)
    write("shadow/home/admin1/set-uid", noise("program", 2000), 0o4755, (0, 0))
    write(b"shadow/home/admin1/caf\xe9", b"a name that is no UTF-8\n")
    write("shadow/home/admin1/empty", b"")
    with open("shadow/home/admin1/sparse", "wb") as file:
        file.truncate(3_000_000)
        file.seek(1_048_576)
        file.write(noise("sparse", 4096))
    os.link("shadow/var/www/html/picture", "shadow/home/admin1/the same")
    os.symlink("var/www/html", "shadow/www")
    os.lchown("shadow/www", 1001, 1001)
    os.mkfifo("shadow/home/admin1/pipe")
    os.mknod("shadow/gone-from-below", 0o020000, 0)
    os.setxattr("shadow/hidden", "trusted.overlay.opaque", b"y")
    os.setxattr("shadow/var/www/html/index.php", "user.comment", b"one\0two")
    acl = bytes.fromhex("02000000" "01000600ffffffff" "02000700ea030000" "04000400ffffffff" "10000700ffffffff" "20000400ffffffff")
    os.setxattr("shadow/var/www/html/picture", "system.posix_acl_access", acl)


def moment_1():
    write("shadow/var/www/html/index.php", b"<?php echo 'second';\n")
    os.rename("shadow/home/admin1/Mail/cur/1:2,S", "shadow/home/admin1/Mail/cur/1:2,RS")
    os.unlink("shadow/home/admin1/pipe")
    write("shadow/home/admin1/new", noise("new", 3000))


def moment_2():
    write("shadow/var/www/html/log", large(50))
    os.chmod("shadow/home/admin1/new", 0o600)
    os.unlink("shadow/home/admin1/empty")
    os.mkdir("shadow/home/admin1/empty")


def moment_3():
    write("shadow/var/www/html/index.php", b"<?php echo 'last';\n")
    os.unlink("shadow/home/admin1/the same")
    write("shadow/home/admin1/Mail/cur/2:2,", b"Subject: two\n\n", 0o600)


def date(moment):
    """Times that nobody's clock gives, the innermost first."""
    number = 0
    for folder, _, names in os.walk(b".", topdown=False):
        for name in sorted(names) + [b""]:
            number += 1
            path = os.path.join(folder, name)
            stat = os.lstat(path)
            if moment == 0 or stat.st_mtime_ns > FIRST + 4 * DAY:
                time = FIRST + moment * DAY + number * 1_000_003
                os.utime(path, ns=(time, time), follow_symlinks=False)


os.chdir(sys.argv[1])
[moment_0, moment_1, moment_2, moment_3][int(sys.argv[2])]()
date(int(sys.argv[2]))
