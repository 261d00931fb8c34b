#!/usr/bin/env bash
# Puts a layer in memory over a root, says `ready`, and keeps both until it is killed:
#   host_layer.sh ROOT FOLDER
# The whole is at FOLDER/root, for those who enter the mount namespace of this.
set -euo pipefail

lower=$1
folder=$2

mount -t tmpfs tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay \
    -o "lowerdir=$lower,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
echo ready
exec sleep infinity
