#!/bin/sh
# First process of a lab host. It runs as PID 1 of new mount, PID, network, UTS and IPC namespaces, builds the
# host's own file tree, says "ready" and then reaps orphans until it is killed; killing it is the host's power switch.
# Arguments: the host's state directory, the host name.
# File descriptor 3: a pipe from the owner. A line on it means "stay after I am gone"; end of file without one means
# the owner died, and the host goes with it.
set -eu
dir=$1
name=$2

mount --make-rprivate /
mkdir -p "$dir/disk" "$dir/root" "$dir/run"
# A disk of its own: filling it fills this host and nothing else. The loop device detaches itself with the last mount.
[ -e /dev/loop-control ] || modprobe loop || {
	echo "this kernel offers no loop devices, which the lab needs for the hosts' disks (load the module loop)"
	exit 1
}
mount -o loop,noatime "$dir/disk.img" "$dir/disk"
first_boot=no
[ -d "$dir/disk/upper" ] || first_boot=yes
mkdir -p "$dir/disk/upper" "$dir/disk/work" "$dir/disk/docker" "$dir/disk/opt" "$dir/disk/srv"
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/disk/upper,workdir=$dir/disk/work" "$dir/root"
root=$dir/root
mkdir -p "$root/var/lib/docker" "$root/opt" "$root/srv" "$root/.old"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount --bind "$dir/run" "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$dir/disk/docker" "$root/var/lib/docker"
mount --bind "$dir/disk/opt" "$root/opt"
mount --bind "$dir/disk/srv" "$root/srv"
cd "$root"
pivot_root . .old
cd /
umount -l /.old
rmdir /.old

if [ "$first_boot" = yes ]; then
	# Docker derives a daemon's ID from /etc/docker/key.json; one inherited from the machine would be the same on every host.
	rm -rf /etc/docker
	mkdir -p /etc/docker
	# Users for ssh besides root: ops may use Docker, guest may not.
	groupadd -f docker
	useradd -m -s /bin/sh -G docker ops
	useradd -m -s /bin/sh guest
	usermod -p '*' ops
	usermod -p '*' guest
fi
hostname "$name"
mkdir -p /run/sshd /run/lock
chmod 0755 /run/sshd
ip link set lo up

trap 'exit 0' TERM
(
	if ! read -r _ <&3; then
		kill -TERM 1
	fi
) >/dev/null 2>&1 &
exec 3<&-
echo ready
exec >/dev/null 2>&1
# wait reaps every orphan that the kernel hands to PID 1 (container shims after their daemon was killed).
while :; do
	sleep 86400 &
	wait $!
done
