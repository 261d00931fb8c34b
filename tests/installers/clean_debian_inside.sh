#!/usr/bin/env bash
# Runs inside the bare Debian that clean_debian.sh made.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

heading() { printf '\n== %s\n' "$*"; }
timed() {
    local start=$SECONDS
    "$@"
    echo "(took $((SECONDS - start)) s)"
}

apt-get -q update >/dev/null
apt-get -q install -y --no-install-recommends python3 git >/dev/null
home="/home/Zoë 山田"
useradd --create-home --home-dir "$home" --shell /bin/bash zoe
as_zoe() { setpriv --reuid zoe --regid zoe --init-groups env HOME="$home" "$@"; }
# (`pip` settings of root's home are not readable for her; those in the environment and /etc are.)
git config --system --add safe.directory '*'
as_zoe git clone --quiet /srv/maskwright "$home/maskwright"
git clone --quiet /srv/maskwright /root/maskwright

heading "an ordinary user, without the venv module: one sentence"
cd "$home"
if as_zoe python3 maskwright/installers/install.py; then
    echo "it should have failed" >&2
    exit 1
fi

heading "root"
cd /root/maskwright
timed python3 installers/install.py
git status --short
heading "root, again, with no package index"
PIP_NO_INDEX=1 timed python3 installers/install.py
/root/.local/bin/maskwright --version
python3 installers/install.py --uninstall
find /root -path /root/maskwright -prune -o -print

heading "an ordinary user, with the venv module"
cd "$home/maskwright"
timed as_zoe python3 installers/install.py
as_zoe git status --short

heading "the tests, as root"
cd /root/maskwright
timed python3 tests/run.py
git status --short
