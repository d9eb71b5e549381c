#!/bin/sh
# First process of the lab's switch: a network namespace with one bridge that all hosts are plugged into. The bridge has
# a namespace of its own so that the machine's packet filter (a running Docker sets FORWARD to DROP) cannot touch the
# traffic between hosts, and so that it vanishes with this process.
# File descriptor 3: the owner's pipe, as in host.sh.
set -eu
ip link set lo up
ip link add lab type bridge
ip link set lab up
trap 'exit 0' TERM
(
	if ! read -r _ <&3; then
		kill -TERM 1
	fi
) >/dev/null 2>&1 &
exec 3<&-
echo ready
exec >/dev/null 2>&1
while :; do
	sleep 86400 &
	wait $!
done
