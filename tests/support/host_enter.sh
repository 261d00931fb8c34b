#!/usr/bin/env bash
# Runs a program inside a root, as process 1 of namespaces that die with it:
#   host_enter.sh ROOT (kept | writable) [(ro | rw) OUTSIDE INSIDE]... -- PROGRAM [ARGUMENT]...
# Mounts are seen by nobody else, so nothing is ever left mounted. A kept root is read-only but for
# some empty places in memory; OUTSIDE is bound below one of those.
set -euo pipefail

root=$1
kind=$2
shift 2

places=(/tmp /run)
if [ "$kind" = kept ]; then
    mount --bind "$root" "$root"
    mount -o remount,bind,ro "$root"
    places+=(/home /mnt /root /srv)
fi
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
# GIMP names its shared memory by process number, and those are small and alike in here.
places+=(/dev/shm)
for place in "${places[@]}"; do
    mount -t tmpfs -o mode=1777 tmpfs "$root$place"
done

while [ "$1" != -- ]; do
    access=$1 outside=$2 inside=$root$3
    shift 3
    if [ -d "$outside" ]; then
        mkdir -p "$inside"
    elif [ ! -e "$inside" ]; then
        mkdir -p "$(dirname "$inside")"
        touch "$inside"
    fi
    mount --rbind "$outside" "$inside"
    [ "$access" = rw ] || mount -o remount,bind,ro "$inside"
done
shift

# Not exec: somebody has to stay who waits for orphans and makes signals work.
chroot "$root" "$@" && code=0 || code=$?
exit "$code"
