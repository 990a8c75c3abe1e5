#!/usr/bin/env bash
# Brings other versions of MariaDB and PostgreSQL from other suites of Debian into FOLDER, and changes nothing else of the machine:
#   test/databases/other-servers/fetch.sh FOLDER
# Needs root, apt, and patchelf. FOLDER then has one folder a server, as other-servers.test.ts wants them; some 1.5 GB.
set -euo pipefail
folder=$(realpath -m "${1:?where to}")
mkdir -p "$folder"/.apt/{lists/partial,cache/archives/partial,none} "$folder/.roots"
touch "$folder/.apt/status"
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -m1 '/debian/$')

# A private list of packages: that of the machine stays as it is.
{
  for suite in bullseye trixie sid; do echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"; done
} >"$folder/.apt/sources.list"
cat >"$folder/.apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$folder/.apt/sources.list";
Dir::Etc::sourceparts "$folder/.apt/none";
Dir::Etc::preferencesparts "$folder/.apt/none";
Dir::State "$folder/.apt";
Dir::State::lists "$folder/.apt/lists";
Dir::State::status "$folder/.apt/status";
Dir::Cache "$folder/.apt/cache";
APT::Sandbox::User "root";
CONF
apt=(-c "$folder/.apt/apt.conf")
apt-get "${apt[@]}" -q update

# What a server's programs need to start; not what installing them would.
left_out='^(debconf|perl|perl-base|perl-modules.*|systemd.*|dpkg|init-system-helpers|debianutils|adduser|passwd|ucf|locales.*|python.*|galera.*|rsync|lsof|socat|psmisc|iproute2|procps|tzdata|gawk|mawk|util-linux|mount|libllvm.*|libperl.*)$'

# unpack SUITE PACKAGE...
unpack() {
  local suite=$1 root=$folder/.roots/$1 needed
  shift
  mkdir -p "$root/.packages"
  needed=$(apt-cache "${apt[@]}" -o "APT::Default-Release=$suite" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances "$@" | grep '^[a-z0-9]' | sort -u | grep -vE "$left_out")
  # shellcheck disable=SC2086
  (cd "$root/.packages" && apt-get "${apt[@]}" -q download $(apt-cache "${apt[@]}" madison $needed |
    awk -v suite=" $suite/main" 'index($0, suite) && !seen[$1]++ { print $1 "=" $3 }'))
  for package in "$root"/.packages/*.deb; do dpkg-deb -x "$package" "$root"; done
  relocate "$root"
}

# Has every program of a root run with the libraries there, the C library included.
relocate() {
  local root=$1 loader libraries=$1/usr/lib/x86_64-linux-gnu:$1/lib/x86_64-linux-gnu
  loader=$(find "$root" -path "$root/.packages" -prune -o -type f \( -name 'ld-linux-x86-64.so.2' -o -name 'ld-2.*.so' \) -print | head -1)
  find "$root" -path "$root/.packages" -prune -o -type f \( -perm -100 -o -name '*.so*' \) -print |
    grep -vE '/(ld|libc)[-.][^/]*$' | while read -r file; do
    [ "$(head -c4 "$file" | tail -c3)" = ELF ] || continue
    patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$file" 2>/dev/null ||
      patchelf --force-rpath --set-rpath "$libraries" "$file" 2>/dev/null || true
  done
}

# postgresql SUITE VERSION
postgresql() {
  mkdir -p "$folder/postgresql-$2"
  ln -sfn "$folder/.roots/$1/usr/lib/postgresql/$2" "$folder/postgresql-$2/$2"
}

# mariadb SUITE VERSION NAME_OF_ITS_SHARE
mariadb() {
  local usr=$folder/.roots/$1/usr own=$folder/mariadb-$2
  mkdir -p "$own"
  ln -sfn "$usr/bin/mariadb" "$usr/bin/mariadb-dump" "$own"
  printf '#!/bin/sh\nfirst=$1; shift\nexec %s/sbin/mariadbd "$first" --basedir=%s --lc-messages-dir=%s/share/%s --plugin-dir=%s/lib/mysql/plugin "$@"\n' \
    "$usr" "$usr" "$usr" "$3" "$usr" >"$own/mariadbd"
  printf '#!/bin/sh\nfirst=$1; shift\nexec %s/bin/mariadb-install-db "$first" --basedir=%s "$@"\n' "$usr" "$usr" >"$own/mariadb-install-db"
  chmod +x "$own/mariadbd" "$own/mariadb-install-db"
}

unpack bullseye mariadb-server-core-10.5 mariadb-client-core-10.5 mariadb-server-10.5 postgresql-13 postgresql-client-13
unpack trixie mariadb-server-core mariadb-client-core mariadb-server postgresql-17 postgresql-client-17
unpack sid postgresql-18 postgresql-client-18
mariadb bullseye 10.5 mysql
mariadb trixie 11.8 mariadb
postgresql bullseye 13
postgresql trixie 17
postgresql sid 18
ls -d "$folder"/*/
