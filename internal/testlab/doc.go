// Package testlab makes real hosts for acceptance tests, the benchmark and the quick start.
//
// Layer: test support; nothing in the provider imports it. A lab is N hosts on one machine, each with its own network
// namespace and address on a virtual switch, its own process, mount, UTS and IPC namespaces, its own disk (a loop-mounted
// ext4 image with a private copy-on-write view of the machine's files on it), its own dockerd (unix socket, TLS on 2376,
// plain on 2375) and its own OpenSSH server. Everything of a host hangs on its first process: killing it is pulling the
// plug, and no mount, interface, process or loop device survives it.
//
// Up makes a lab, Attach finds a running one, Down removes it, Leftovers proves that nothing stayed. ForTest is the entry
// for acceptance tests: it hands out the lab or, where ANKA_HOSTS names them, real hosts.
package testlab
