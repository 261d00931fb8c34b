#!/bin/sh
# Installs Maskwright for the user who runs this, or removes it; see --help.
set -eu

made_for=@MACHINE@
needed_glibc=@GLIBC@

usage() {
    cat <<'END'
Usage: ./install.sh [PHOTO | --no-sample]
       ./install.sh --rollback
       ./install.sh --uninstall [--purge]

Installs Maskwright for you alone, without sudo: the engine in ~/.local/share/maskwright, the command
in ~/.local/bin, the plug-ins into every GIMP and Krita that is found. Then it cuts out PHOTO, or a
sample.

  --no-sample   write no cut-out
  --rollback    go back to the version that was there before the last update
  --uninstall   remove what was installed; models and settings stay
  --purge       remove those, too

Later, without this folder: maskwright setup rollback, maskwright setup uninstall.

Exit codes: 0 done, 1 not done, 2 bad usage or photo, 3 the engine failed, 130 cancelled.
END
}

stop() {
    printf '%s\n' "$1" >&2
    exit "${2:-1}"
}

# Ends with a sentence where this engine cannot run.
check_system() {
    system=$(uname -s) machine=$(uname -m)
    [ "$system" = Linux ] ||
        stop "This download is for Linux, and this is $system: get the one for your system."
    [ "$machine" = "$made_for" ] ||
        stop "This download is for $made_for processors, and this one is $machine: get the other one."
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) ||
        stop "This system has no glibc, which Maskwright needs: install it from its source."
    glibc=${glibc#glibc }
    oldest=$(printf '%s\n' "$needed_glibc" "$glibc" | sort -t . -k 1,1n -k 2,2n | head -n 1)
    [ "$oldest" = "$needed_glibc" ] ||
        stop "This system has glibc $glibc, and Maskwright needs $needed_glibc or newer: use it on a newer system, or install it from its source."
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
engine=$here/engine/maskwright

case ${1-} in
-h | --help)
    usage
    exit 0
    ;;
--rollback)
    shift
    set -- rollback "$@"
    ;;
--uninstall)
    shift
    set -- uninstall "$@"
    ;;
*) set -- install "$@" ;;
esac

check_system
[ -f "$engine" ] ||
    stop "The folder 'engine' is not beside install.sh: unpack the whole download, then run this there."
[ -x "$engine" ] ||
    stop "$engine may not be executed: unpack the download with tar, where programs may be run."
exec "$engine" setup "$@"
