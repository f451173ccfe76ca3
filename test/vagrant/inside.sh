#!/bin/sh
# Runs a command in the lab's network, with a /sys of that network, and with the cgroups that a new /sys hides: inside.sh <supervisor> <command…>
set -eu
supervisor=$1
shift
exec nsenter --net="/proc/$supervisor/ns/net" -- unshare --mount --propagation private -- sh -euc '
mount --rbind /sys/fs/cgroup /mnt
mount -t sysfs sysfs /sys
mount --rbind /mnt /sys/fs/cgroup
exec "$@"' sh "$@"
