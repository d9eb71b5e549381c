# The follower's transfer of files from the source. Files are made in $STATE, on the file system of the data, where no
# registry looks, and get their place by a rename when they are whole and on disk.

# get ARGUMENT... runs rclone and notes its errors. It is waited for in a way that a signal ends at once.
get() {
	rclone "$@" --ca-cert "$TLS/ca.pem" --client-cert "$TLS/cert.pem" --client-key "$TLS/key.pem" \
		--contimeout 10s --timeout 30s --retries 1 --low-level-retries 2 --no-traverse --no-check-dest \
		--ignore-checksum --buffer-size 4M ${LIMIT:+--bwlimit "$LIMIT"} 2>"$ERRORS" &
	wait $!
}

# reason FILE is what rclone said last, without its time.
reason() { tail -n 1 "$1" | sed 's/^[0-9/]* [0-9:]* //'; }

# limit N divides the bandwidth between N processes.
limit() {
	LIMIT=''
	[ "$BANDWIDTH" -eq 0 ] || LIMIT="$((BANDWIDTH / $1))B"
}

# fetch_objects fetches the new metadata and writes $WORK/objects.sums: hash and path below $STATE/objects, which is the
# batch and the path of the metadata.
fetch_objects() {
	: >"$WORK/objects.sums"
	: >"$WORK/objects"
	[ -s "$WORK/todo/publish" ] || return 0
	limit 1
	missing_objects
	fetch_packs
	tries=0
	while [ -s "$WORK/objects.missing" ]; do
		if [ $tries -ge 5 ]; then
			fail "cannot fetch new metadata from the primary: $(reason "$ERRORS")"
			return 1
		fi
		# What is new may not be in the server's list of the directory for a moment.
		[ $tries -eq 0 ] || rest 0.3
		tries=$((tries + 1))
		get copy --files-from-raw "$WORK/objects.missing" "source:snapshot/o" "$STATE/objects" --transfers 16 --checkers 16
		missing_objects
	done
	# Where the work directory was full for a moment, nothing seemed to be missing.
	if [ "$(lines "$WORK/objects.sums")" -lt "$(lines "$WORK/todo/publish")" ] || [ "$(lines "$WORK/objects")" -ne "$(lines "$WORK/objects.sums")" ]; then
		fail "the list of new metadata is not whole"
		return 1
	fi
	chown -R "$OWNER" "$STATE/objects" && flush "$STATE/objects" "$WORK/objects"
}

missing_objects() {
	rm_partials "$STATE/objects"
	(cd "$STATE/objects" && find . -type f | sed 's/^..//') >"$WORK/objects"
	sums "$STATE/objects" "$WORK/objects" "$WORK/objects.sums"
	awk -F "$TAB" 'FILENAME == ARGV[1] { have[$2] = $1; next } { file = $4 "/" $1 } have[file] != $2 { print file }' \
		"$WORK/objects.sums" "$WORK/todo/publish" >"$WORK/objects.missing"
}

# fetch_packs fetches batches of which much is missing in one piece, since every file by itself costs two requests. What
# does not come this way is fetched by itself.
fetch_packs() {
	awk -F / -v least="$PACK_FILES" '{ n[$1]++ } END { for (batch in n) if (n[batch] >= least) print batch }' "$WORK/objects.missing" >"$WORK/packs"
	[ -s "$WORK/packs" ] || return 0
	while read -r batch; do
		if get cat "source:snapshot/p/$batch" >"$WORK/pack"; then
			mkdir -p "$STATE/objects/$batch" && tar -xf "$WORK/pack" -C "$STATE/objects/$batch"
		fi
		rm -f "$WORK/pack"
	done <"$WORK/packs"
	chmod -R u=rwX,go=rX "$STATE/objects"
	missing_objects
}

# flush DIRECTORY LIST has the listed files of a directory on disk when it ends. A disk takes the better part of a
# millisecond for each file by itself, and little more for all of a file system at once.
flush() {
	if [ "$(lines "$2")" -gt 20 ]; then
		sync -f "$1"
	else
		(cd "$1" && tr '\n' '\0' <"$2" | xargs -0 -r sync)
	fi
}

# own records the files of standard input as the primary's, before they get their place: should the pass not end, they
# can still be replaced and deleted. One line each, as in a manifest.
own() {
	# The end of what was written before may have been lost with the power.
	[ -z "$(tail -c 1 "$STATE/placed")" ] || echo >>"$STATE/placed"
	cat >>"$STATE/placed" && sync "$STATE/placed"
}

# place FILE PATH SIZE MTIME gives a whole layer its name, unless something that is not ours took it meanwhile: that is
# left alone and reported.
place() {
	if [ -e "$DATA/$2" ] || [ -L "$DATA/$2" ]; then
		there=$(stat -c "L$TAB$2$TAB%s$TAB%Y" "$DATA/$2")
		if [ "$there" != "L$TAB$2$TAB$3$TAB$4" ] && ! cat "$OWNED" "$STATE/placed" | grep -qxF "$there"; then
			say "left alone, since it is not replication's: $2"
			printf '%s\n' "$2" >>"$WORK/todo/ahead"
			return 0
		fi
	else
		make_directory "${2%/*}" || return 1
	fi
	printf 'L\t%s\t%s\t%s\n' "$2" "$3" "$4" | own && mv -f -T "$1" "$DATA/$2"
}

# make_directory PATH makes a directory of the data and gives it the data's owner.
make_directory() {
	[ -d "$DATA/$1" ] || { mkdir -p "$DATA/$1" && chown "$OWNER" "$DATA/$1"; }
}

# place_received puts all whole files of $STATE/incoming into place: those whose names are free with one process for a
# directory, which never overwrites, and those that replace something one by one.
place_received() {
	(cd "$STATE/incoming" && find . -type f ! -name '*.partial' -exec stat -c "%n$TAB%s$TAB%Y" {} + | sed 's/^..//') >"$WORK/incoming"
	awk -F "$TAB" 'FILENAME == ARGV[1] { want[$0]; next } $0 in want' "$WORK/todo/copy" "$WORK/incoming" >"$WORK/whole"
	[ -s "$WORK/whole" ] || return 0
	cut -f 1 "$WORK/whole" >"$WORK/whole.paths"
	chown -R "$OWNER" "$STATE/incoming" && flush "$STATE/incoming" "$WORK/whole.paths" || return 1
	(cd "$DATA" && tr '\n' '\0' <"$WORK/whole.paths" | xargs -0 stat -c %n) >"$WORK/taken" 2>/dev/null
	awk -F "$TAB" -v free="$WORK/free" -v replacing="$WORK/replacing" '
		BEGIN { printf "" > free; printf "" > replacing }
		FILENAME == ARGV[1] { taken[$0]; next }
		$1 in taken { print > replacing; next }
		{ directory = $1; sub("/[^/]*$", "", directory); print $0 "\t" directory > free }
	' "$WORK/taken" "$WORK/whole"
	cut -f 1-3 "$WORK/free" | sed 's/^/L\t/' | own || return 1
	cut -f 4 "$WORK/free" | sort -u >"$WORK/directories"
	while read -r directory; do
		make_directory "$directory" || return 1
		awk -F "$TAB" -v directory="$directory" '$4 == directory { sub(/.*\//, "", $1); print $1 }' "$WORK/free" | tr '\n' '\0' |
			(cd "$STATE/incoming/$directory" && xargs -0 mv -n -t "$DATA/$directory" --) || return 1
	done <"$WORK/directories"
	# Names that were free a moment ago may be taken now.
	while IFS=$TAB read -r path size mtime directory; do
		[ ! -e "$STATE/incoming/$path" ] || printf '%s\t%s\t%s\n' "$path" "$size" "$mtime" >>"$WORK/replacing"
	done <"$WORK/free"
	while IFS=$TAB read -r path size mtime; do
		place "$STATE/incoming/$path" "$path" "$size" "$mtime" || return 1
	done <"$WORK/replacing"
}

part_of() { printf '%s' "$STATE/parts/$(printf '%s' "$1" | sha256sum | cut -c 1-32)"; }

# fetch_large PATH SIZE MTIME goes on where an earlier attempt ended. The part is named by all three, so that it is
# never mixed with another version.
fetch_large() {
	part=$(part_of "$1$TAB$2$TAB$3")
	have=$(stat -c %s "$part" 2>/dev/null || echo 0)
	if [ "$have" -lt "$2" ]; then
		get cat "source:data/$1" --offset "$have" --count "$(($2 - have))" >>"$part" || return 1
		have=$(stat -c %s "$part")
	fi
	if [ "$have" -ne "$2" ]; then
		[ "$have" -lt "$2" ] || rm -f "$part"
		echo "$1 has $have of $2 bytes" >>"$ERRORS"
		return 1
	fi
	sync "$part" && touch -d "@$3" "$part" && chown "$OWNER" "$part" && place "$part" "$1" "$2" "$3"
}

# same_disk fails where a directory of the storage is a disk of its own: nothing gets there by a rename, so that readers
# would see parts of layers, and what is cut off would stay.
same_disk() {
	for directory in $LAYER_DIRS "$METADATA_DIR"; do
		[ ! -d "$DATA/$directory" ] || [ "$(stat -L -c %d "$STATE" "$DATA/$directory" | sort -u | wc -l)" -eq 1 ] || {
			fail "$directory is on another file system than the rest of the storage; files are made in .anka-replication and renamed when they are whole, which needs one disk for all: mount it as the whole storage"
			return 1
		}
	done
}

# source_answers tells whether the source can be read at all, after a layer could not.
source_answers() { get cat source:snapshot/head >/dev/null; }

# fetch_layers fetches all layers that are missing: small ones by one rclone, large ones by several processes that each
# go on where they were interrupted.
fetch_layers() {
	FULL=false
	GONE=0
	: >"$WORK/unreadable"
	same_disk && verify_layers || return 1
	if [ "$(cat "$STATE/boot" 2>/dev/null)" != "$(cat /proc/sys/kernel/random/boot_id)" ]; then
		# The machine was started anew, so what had not reached the disk may be zeros now.
		rm -rf "$STATE/parts" "$STATE/incoming"
		put "$STATE/boot" </proc/sys/kernel/random/boot_id
	fi
	mkdir -p "$STATE/parts" "$STATE/incoming" || return 1
	if [ ! -s "$WORK/todo/copy" ]; then
		rm -rf "$STATE/parts" "$STATE/incoming"
		return 0
	fi
	rm_partials "$STATE/incoming"
	if ! place_received || ! drop_unwanted; then
		fail "cannot write to the storage"
		return 1
	fi
	awk -F "$TAB" -v large="$RESUME_BYTES" -v dir="$WORK/" '
		BEGIN { printf "" > (dir "small"); printf "" > (dir "large") }
		FILENAME == ARGV[1] { whole[$0]; next }
		!($0 in whole) { print > (dir ($2 >= large ? "large" : "small")) }
	' "$WORK/whole" "$WORK/todo/copy"
	need=$(awk -F "$TAB" '{ n += $2 } END { printf "%.0f", n }' "$WORK/small" "$WORK/large")
	parts=$(du -sk "$STATE/parts" | awk '{ printf "%.0f", $1 * 1024 }')
	free=$(room "$DATA")
	if [ "$need" -gt $((free + parts - RESERVE)) ]; then
		FULL=true
		fail "the replica's disk is full: layers of $((need - parts)) bytes are missing and $free bytes are free; free some space, replication then goes on"
		return 1
	fi
	LAG_BYTES=$need
	IN_SYNC=false
	say "fetching $(lines "$WORK/small" "$WORK/large") layers, $need bytes"
	write_status
	fetch_small || return 1
	[ ! -s "$WORK/large" ] || fetch_all_large
}

# fetch_small fetches many files with one rclone, a thousand at a time, so that what came has its place when the pass
# ends early.
fetch_small() {
	: >"$WORK/gone"
	while [ -s "$WORK/small" ]; do
		head -n 1000 "$WORK/small" >"$WORK/batch"
		fetch_batch || return 1
		tail -n +1001 "$WORK/small" >"$WORK/small.left"
		mv "$WORK/small.left" "$WORK/small"
		LAG_BYTES=$(cat "$WORK/small" "$WORK/large" | awk -F "$TAB" '{ n += $2 } END { printf "%.0f", n }')
		write_status
	done
	# Deleted since they were listed. What names them is held back, the rest goes on.
	GONE=$(lines "$WORK/gone")
}

fetch_batch() {
	tries=0
	while [ -s "$WORK/batch" ]; do
		if [ $tries -ge 3 ]; then
			cat "$WORK/batch" >>"$WORK/gone"
			return
		fi
		# What is new may not be in the server's list of the directory for a moment, and rclone says nothing of it.
		[ $tries -eq 0 ] || rest 0.3
		tries=$((tries + 1))
		cut -f 1 "$WORK/batch" >"$WORK/batch.paths"
		limit 1
		get copy --files-from-raw "$WORK/batch.paths" "source:data" "$STATE/incoming" --transfers "$TRANSFERS" --checkers "$TRANSFERS" --multi-thread-streams 0
		result=$?
		place_received || {
			fail "cannot write to the storage"
			return 1
		}
		wanted=$(lines "$WORK/batch")
		awk 'FILENAME == ARGV[1] { whole[$0]; next } !($0 in whole)' "$WORK/whole" "$WORK/batch" >"$WORK/batch.left"
		mv "$WORK/batch.left" "$WORK/batch"
		# A layer that was deleted meanwhile, or cannot be read, is no reason to end the pass for the others.
		if [ $result -ne 0 ] && { [ ! -s "$ERRORS" ] || grep -qv '404 Not Found' "$ERRORS"; } &&
			[ "$(lines "$WORK/batch")" -eq "$wanted" ]; then
			why=$(reason "$ERRORS")
			if ! source_answers; then
				fail "cannot fetch layers from the primary: $why"
				return 1
			fi
			unreadable "$why" <"$WORK/batch"
			: >"$WORK/batch"
		fi
	done
}

# unreadable REASON notes the layers of standard input as such that the primary has and cannot give.
unreadable() { cut -f 1 | awk -v why="$(printf '%s' "$1" | tr '\11\134' '  ')" '{ print $0 "\t" why }' | cat >>"$WORK/unreadable"; }

# drop_unwanted deletes what has arrived of layers that are not to be fetched any more, since it takes the room of the
# others. What is whole has its place by now.
drop_unwanted() {
	rm -rf "$STATE/incoming" && mkdir "$STATE/incoming" || return 1
	ls "$STATE/parts" >"$WORK/parts"
	[ -s "$WORK/parts" ] || return 0
	rm -rf "$WORK/keys" && mkdir "$WORK/keys" || return 1
	# One process for all names, of which there may be many.
	awk -v dir="$WORK/keys/" '{ printf "%s", $0 > (dir NR); close(dir NR) }' "$WORK/todo/copy"
	(cd "$WORK/keys" && find . -type f -exec sha256sum {} +) | cut -c 1-32 >"$WORK/parts.wanted"
	rm -rf "$WORK/keys"
	grep -vxF -f "$WORK/parts.wanted" "$WORK/parts" | (cd "$STATE/parts" && xargs -r rm -f --)
}

rm_partials() { find "$1" -type f -name '*.partial' -exec rm -f {} +; }

# fetch_share WORKER WORKERS fetches every so manieth of the large layers.
fetch_share() {
	ERRORS=$WORK/errors.$1
	awk -v i="$1" -v n="$2" 'NR % n == i' "$WORK/large" >"$WORK/share.$1"
	while IFS=$TAB read -r path size mtime; do
		fetch_large "$path" "$size" "$mtime" && continue
		why=$(reason "$ERRORS")
		# One that cannot be read is no reason to end the pass for the others.
		if ! source_answers; then
			printf '%s\n' "$why" >"$ERRORS"
			return 1
		fi
		printf '%s\n' "$path" | unreadable "$why"
	done <"$WORK/share.$1"
}

# progress says in the status what is still missing.
progress() {
	LAG_BYTES=$(du -sk "$STATE/parts" | awk -v need="$need" '{ n = need - $1 * 1024; printf "%.0f", (n > 0 ? n : 0) }')
	write_status
}

fetch_all_large() {
	count=$(lines "$WORK/large")
	[ "$count" -le "$TRANSFERS" ] || count=$TRANSFERS
	limit "$count"
	rm -f "$WORK"/errors.*
	worker=0
	workers=''
	while [ $worker -lt "$count" ]; do
		fetch_share "$worker" "$count" &
		workers="$workers $!"
		worker=$((worker + 1))
	done
	result=0
	for process in $workers; do
		turns=0
		while kill -0 "$process" 2>/dev/null; do
			rest 0.2
			turns=$((turns + 1))
			[ $((turns % 25)) -ne 0 ] || progress
		done
		wait "$process" || result=1
	done
	if [ $result -ne 0 ]; then
		fail "cannot fetch layers from the primary: $(for file in "$WORK"/errors.*; do reason "$file"; done | grep . | tail -n 1)"
		return 1
	fi
}

# verify_layers looks whether layers that were not put here by replication, such as from a copied disk, are the
# primary's: same content gets the same time of change and is equal from then on; other content is left alone.
verify_layers() {
	[ -s "$WORK/todo/verify" ] || return 0
	touch "$STATE/different"
	limit 1
	while IFS=$TAB read -r path size mtime; do
		known="$path$TAB$size$TAB$mtime$TAB$(stat -c '%Y %Z' "$DATA/$path")"
		if ! grep -qxF "$known" "$STATE/different"; then
			: >"$ERRORS"
			{ get cat "source:data/$path" | cmp - "$DATA/$path" >"$WORK/differs" 2>"$WORK/cmp.err"; } &
			if wait $!; then
				touch -d "@$mtime" "$DATA/$path"
				continue
			elif ! grep -q ' differ: ' "$WORK/differs"; then
				# One ended before the other: it was cut off, which says nothing of the layer.
				fail "cannot compare $path with the primary's: $({ reason "$ERRORS" && tail -n 1 "$WORK/cmp.err"; } | grep . | head -n 1)"
				return 1
			fi
			printf '%s\n' "$known" >>"$STATE/different"
		fi
		printf '%s\n' "$path" >>"$WORK/todo/ahead"
	done <"$WORK/todo/verify"
}
