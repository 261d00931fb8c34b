#!/usr/bin/env bash
# The two commands of the README on a bare Debian 12 with nothing but python3 and git:
#   tests/installers/clean_debian.sh [REPOSITORY]
# Needs root, debootstrap and a Debian mirror; takes some minutes, so it is started by hand. The
# bare system is kept in the cache folder and copied for each run. What this machine's package
# clients need (certificates, proxies, settings) is copied in; nothing else is.
set -euo pipefail

repository=$(realpath "${1:-$(dirname "$0")/../..}")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/maskwright-dev
bare=$cache/bookworm
root=$(mktemp -d /tmp/maskwright-debian-XXXXXX)
trap 'rm -rf --one-file-system "$root"' EXIT

if [ ! -e "$bare/finished" ]; then
    rm -rf --one-file-system "$bare"
    mkdir -p "$bare"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Created-By: Packages' |
        head -n 1)
    debootstrap --variant=minbase bookworm "$bare" "${mirror:?this machine has no Debian 12 package source}"
    touch "$bare/finished"
fi
cp -a "$bare/." "$root/"

# Settings and certificates of the package clients.
for path in /etc/resolv.conf /etc/hosts /etc/apt/apt.conf /etc/apt/apt.conf.d/. /etc/pip.conf \
    /etc/ssl/certs/. "$HOME/.config/pip/." "$HOME/.pip/."; do
    [ -e "$path" ] || continue
    mkdir -p "$root/$(dirname "$path")"
    cp -rL "$path" "$root/$path" 2>/dev/null || true
done
# The package ca-certificates writes /etc/ssl/certs anew from these.
mkdir -p "$root/usr/local/share/ca-certificates"
awk -v folder="$root/usr/local/share/ca-certificates" '
    /BEGIN CERTIFICATE/ { number++ }
    number { print > (folder "/machine-" number ".crt") }
' /etc/ssl/certs/ca-certificates.crt
mapfile -t settings < <(env | grep -E '^(PIP_[A-Z_]*|[A-Z_]*_CA_[A-Z_]*|SSL_CERT_[A-Z]*|[A-Za-z_]*(PROXY|proxy))=' || true)

git clone --quiet --no-local "$repository" "$root/srv/maskwright"
cp "$(dirname "$0")/clean_debian_inside.sh" "$root/srv/inside.sh"

# The mounts live and die with this namespace.
unshare --mount --propagation private bash -euc '
    root=$1
    shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@" \
        chroot "$root" /bin/bash /srv/inside.sh
' mounting "$root" "${settings[@]}"
