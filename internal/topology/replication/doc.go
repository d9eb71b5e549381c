// Package replication is the pure part of how registries get the primary's
// templates: the settings, the containers and the programs that run in them.
// It belongs to the layer topology and does no I/O.
//
// # What runs
//
// A source beside the primary and a follower beside every other replica, each
// rclone's own image with a script of this package as its program. Followers
// pull: the one that may delete is the one that knows what is on its disk, and
// the primary needs no access to anything.
//
// The source makes generations. It copies the metadata (small), and then lists
// the layers. Uploads write layers first, so a generation names no layer that
// it does not list; for deletions, which go the other way round, it looks
// again. A follower fetches layers, then publishes the metadata, then deletes
// metadata, then layers. New templates appear by one rename.
//
// # What may be deleted
//
// Only what a manifest of the same primary listed, is here exactly as listed,
// and is not listed any more; at most max_delete_percent in an hour; and no
// layer that metadata here still names. All else is reported as ahead and left
// alone. The marker file has to be on both sides.
//
// A listing that met an error is no listing. But find says nothing of a
// directory that it could read in part only, as on a dying disk. The source
// therefore asks for each file that it listed before and lists no more: only
// one of which the disk says that there is no such file is left out, and
// anything else stops replication. What it listed before outlives a restart of
// its container and not a new container, since it cannot write the storage: the
// first listing of a new container is taken as it is, and what may be missing
// from it is bounded by max_delete_percent alone, or by the new term after a
// change of the primary.
//
// Layers count toward the limit where metadata that stays here names them, for
// then the primary has lost them: of the layers that are named, that part may
// go. Layers that nothing names are what is left of uploads that were given up,
// and of templates that were deleted before their metadata came. They may go,
// but not with all others at once. Only metadata that is deleted as well
// explains the end of the layers that it named: metadata that was changed and
// does not name them any more, such as files that were emptied, loses them, at
// once and even where the primary still lists them. Where a file is empty now
// they count from the first on, and else from the fifth, since one file may
// describe several tags. A primary that lists nothing at all deletes nothing,
// whatever max_delete_percent is, unless it is allowed by its ID.
//
// A template goes by one rename, and what was not the primary's as it was
// compared comes back: links, and what was pushed meanwhile.
//
// Metadata is looked at again once the layers are there, which may take hours:
// what was pushed here meanwhile is compared before anything is replaced.
// Whatever list decides that something goes or is shown fails the pass when it
// cannot be written whole.
//
// # What never changes
//
// Layers. One that has another size on the primary is damaged there, or here:
// the copy is kept and the error names both sizes. One of the same size with
// another time of change, such as after a restore without times, is compared.
//
// A layer's name in metadata is a whole value, quoted or to the end of its
// line, and no description. Where it is about keeping a layer, any word that
// is its name will do.
//
// # What a follower reports and does not touch
//
// Files that it did not put there, or that were changed since: the replica is
// ahead. Two cases are told apart. Metadata that was changed here and names no
// layer which the primary never had is a note, such as that of a last pull:
// it stays until the primary changes the same file, and is then kept in
// .anka-replication/replaced, and counted in the log and the status. The last
// 300 of these are kept, and all that the first pass after a change of the
// primary replaced, since this side may have been the primary. A layer of the same size that was not put here by
// replication, such as from a copied disk, is compared with the primary's byte
// for byte and adopted when it is equal.
//
// # Why rclone over WebDAV
//
// An official image with a shell, TLS with client certificates, files by range.
// Layers from 64 MiB on are fetched with rclone cat at an offset, so that
// neither a broken link nor a killed follower costs what was transferred;
// smaller ones with one rclone copy. Both go to a directory of the same file
// system that no registry reads, are flushed to disk, and are renamed.
//
// Measured on two cores that others used as well, on loopback: 2.4 GB in four
// files 605 MB/s, flushed to disk, where rsync over ssh in turn with it made
// 210 MB/s, not flushed. Over 1 000 templates of 10 layers a full comparison
// takes a follower 0.6 s, a pass without news 0.06 s of processor, and the
// source's look 0.2 s. The checks: internal/testlab/replication.
//
// Two of rclone's habits had to be turned off: it pauses 10 ms before each
// WebDAV request, and serve caches lists of directories. A file that is read
// again and again therefore keeps its size (the announcement), and all others
// have names that never mean anything else.
//
// # What a burst costs
//
// Processes and requests, not bytes: a file by itself is two requests to the
// source, 1 ms of processor in all. Metadata that changed together is therefore
// served as one archive as well, and a follower moves files in groups, by
// directory, with what is decided about all of them in one awk. A follower
// starts as many processes for 1 200 files as for 120; that is tested. Where
// something came, both sides look again at shorter intervals for a while.
//
// # Which busybox
//
// rclone's image is Alpine's with rclone in it. The scripts' tests run with
// Debian's busybox 1.35.0, and were run with that of Alpine 3.20 (1.36.1) and
// with Debian's 1.37.0. All applets that they use are in Alpine's root file
// systems from 3.16 on. check_commands tries at each start what not every build
// has. ANKA_TEST_BUSYBOX names another busybox to run the tests with.
package replication
