#!/bin/sh
# Creates a box for vagrant-lxc from a base image: box.sh <base> <box>. Runs in its own mount namespace.
set -eu
base=$1 box=$2
work=$(mktemp -d "$box.XXXXXX")
trap 'cd /; umount "$work/rootfs" "$work/over" 2>/dev/null || :; rm -rf "$work"' EXIT
mkdir "$work/over" "$work/rootfs"
mount -t tmpfs tmpfs "$work/over"
mkdir "$work/over/upper" "$work/over/work"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/over/upper,workdir=$work/over/work" "$work/rootfs"

# A box has the user vagrant with the well-known insecure key; vagrant replaces it.
chroot "$work/rootfs" sh -eu <<'END'
for user in deploy operator; do userdel --remove --force "$user" 2>/dev/null; done
rm -f /etc/sudoers.d/deploy
useradd --create-home --shell /bin/bash vagrant
echo 'vagrant ALL=(ALL:ALL) NOPASSWD:ALL' > /etc/sudoers.d/vagrant
chmod 0440 /etc/sudoers.d/vagrant
install -d -m 0700 -o vagrant -g vagrant /home/vagrant/.ssh

# Vagrant restarts networkd when it sets the host name; networkd must leave all interfaces unchanged.
mkdir -p /etc/systemd/network
printf '[Match]\nName=*\n\n[Link]\nUnmanaged=yes\n' > /etc/systemd/network/00-unmanaged.network
ln -s /lib/systemd/system/systemd-networkd.service /etc/systemd/system/multi-user.target.wants/

mkdir -p /etc/systemd/system/ssh.service.d
printf '[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n' > /etc/systemd/system/ssh.service.d/keys.conf
END
install -m 0600 "$(find /usr/share -path '*/vagrant-*/keys/vagrant.pub' | head -n 1)" "$work/rootfs/home/vagrant/.ssh/authorized_keys"
chroot "$work/rootfs" chown vagrant: /home/vagrant/.ssh/authorized_keys

echo '{"provider":"lxc","version":"1.0.0"}' > "$work/metadata.json"
cat > "$work/lxc-config" <<'END'
lxc.include = /usr/share/lxc/config/common.conf
lxc.apparmor.profile = unconfined
lxc.tty.max = 0
END
tar -C "$work" --numeric-owner -I 'pigz -1' -cf "$work/rootfs.tar.gz" ./rootfs
tar -C "$work" -cf "$work/box" metadata.json lxc-config rootfs.tar.gz
mv "$work/box" "$box"
