# The source runs beside the primary. It makes generations: a consistent copy of the metadata, and then a list of the
# layers. Uploads write layers before the metadata that names them, so what the copy names is in the list, and the
# other way round for deletions, where the copy is taken again. Generations are served with the layers themselves,
# read-only, over TLS, to holders of a certificate.
WORK=$RUN/work
ROLE=source
SERVED=$ROOT/snapshot
# The files of metadata as they were served last; copies that are whole, whether they are served or not; the list of
# files that is served; that of this container's last life.
INDEX=$WORK/index
KEPT=$WORK/kept
BODY=$WORK/body
FORMER=$WORK/former
HEARTBEAT=0
SERVER=''
LAST_STATE=''
STARTED=0
BATCH=0
COLLECT=false
STEADY_AT=0
ODD=0
# Free bytes without which no lists are made: one that is cut short would look like a deletion.
RESERVE=67108864
# Generations that followers may still be fetching. Seconds between two looks at most, however long a look takes:
# followers take a source for dead that shows no sign of life for 60.
: "${GENERATIONS:=20}" "${LONGEST:=20}"

stop() {
	trap '' TERM INT
	[ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null
	say "source stopped"
	exit 0
}

# start_server (re)starts the server. Only what replicas need can be read: the snapshots and the layers. Lists of
# directories are cached for a moment; everything that a follower reads has a name or a size that does not change, so an
# old list costs it a retry and nothing else.
start_server() {
	set -f
	set -- --filter '+ /snapshot/**'
	for directory in $LAYER_DIRS; do
		set -- "$@" --filter "+ /data/$directory/**"
	done
	set +f
	rclone serve webdav "$ROOT" --addr "$LISTEN" --read-only --cert "$TLS/cert.pem" --key "$TLS/key.pem" \
		--client-ca "$TLS/ca.pem" --min-tls-version tls1.2 --dir-cache-time 250ms --poll-interval 0 --vfs-read-wait 0 \
		--local-no-check-updated --disable-dir-list "$@" --filter '- *' >/dev/null 2>"$WORK/server.log" 9>&- &
	SERVER=$!
	STARTED=$(uptime)
}

# server_runs fails when the server ended since the last look, and starts it again. One that cannot start ends within a
# moment, which is waited for.
server_runs() {
	while kill -0 "$SERVER" 2>/dev/null; do
		[ $(($(uptime) - STARTED)) -lt 2 ] || return 0
		rest 0.2
	done
	# Where it cannot listen or read its certificate it may panic, and then the last line is that of a stack.
	why=$(grep -m 1 -E '^(panic|fatal)|CRITICAL|Fatal' "$WORK/server.log" || tail -n 1 "$WORK/server.log")
	fail "rclone, which serves the replicas, ended and is started again (it needs $LISTEN, and a certificate with its key in $TLS): $(printf '%s' "$why" | sed 's/^[0-9/]* [0-9:]* //')"
	start_server
	return 1
}

# take_objects copies the metadata of which no copy is kept into a batch of its own, which never changes again. Files
# that go meanwhile are not in the new index. Writes $WORK/index.new from $WORK/meta.1. What is copied when this fails
# is kept: one file that cannot be read must not cost a copy of all others at every look.
take_objects() {
	# A file that changed in the last second may change again without a difference that the file system shows; but not
	# one that was the same seconds ago, whatever the clock says.
	steady=/dev/null
	[ $(($(uptime) - STEADY_AT)) -le 2 ] || steady=$WORK/meta.steady
	awk -F "$TAB" -v racy="$(date -u '+%Y-%m-%d %H:%M:%S' -d "@$(($(now) - 1))")" -v kept="$WORK/index.new" -v changed="$WORK/changed" '
		BEGIN { printf "" > kept; printf "" > changed }
		FILENAME == ARGV[1] || FILENAME == ARGV[2] { line[$1, $2] = $0; next }
		FILENAME == ARGV[3] { steady[$0]; next }
		{ s = $2 "|" $3 "|" $4 }
		($1, s) in line { print line[$1, s] > kept; next }
		{ print $1 "\t" (substr($4, 1, 19) >= racy && !($0 in steady) ? "racy" : s) "\t" $2 "\t" $3 > changed }
	' "$INDEX" "$KEPT" "$steady" "$WORK/meta.1" || return 1
	if [ $(($(uptime) - STEADY_AT)) -gt 2 ]; then
		cp "$WORK/meta.1" "$WORK/meta.steady" || return 1
		STEADY_AT=$(uptime)
	fi
	[ -s "$WORK/changed" ] || return 0
	BATCH=$((BATCH + 1))
	COLLECT=true
	copies=$SERVED/o/$BATCH
	mkdir "$copies" || return 1
	cut -f 1 "$WORK/changed" >"$WORK/changed.paths"
	(cd "$DATA" && tr '\n' '\0' <"$WORK/changed.paths" | xargs -0 cp --parents -t "$copies") 2>"$WORK/copy.err"
	(cd "$copies" && find . -type f -exec stat -c "%n$TAB%s" {} + | sed 's/^..//') >"$WORK/staged"
	cut -f 1 "$WORK/staged" >"$WORK/staged.paths"
	sums "$copies" "$WORK/staged.paths" "$WORK/staged.sums"
	# cp does not always say which file it could not read. A copy is whole where the file, read again, is the same.
	read_again=$WORK/staged.sums
	if grep -v ': No such file or directory$' "$WORK/copy.err" >"$WORK/copy.bad"; then
		read_again=$WORK/again.sums
		sums "$DATA" "$WORK/changed.paths" "$read_again"
	fi
	# What was copied again and is the same stays in the batch that followers may have. A copy of another size than the
	# file is none.
	awk -F "$TAB" -v batch="$BATCH" '
		FILENAME == ARGV[1] { size[$1] = $2; next }
		FILENAME == ARGV[2] { hash[$2] = $1 }
		FILENAME == ARGV[3] { again[$2] = $1 }
		FILENAME == ARGV[2] || FILENAME == ARGV[3] { next }
		FILENAME == ARGV[4] || FILENAME == ARGV[5] { if (!(($1, $5) in in_batch)) in_batch[$1, $5] = $6; next }
		($1 in hash) && hash[$1] == again[$1] && size[$1] == $3 { print $0 "\t" hash[$1] "\t" (($1, hash[$1]) in in_batch ? in_batch[$1, hash[$1]] : batch) }
	' "$WORK/staged" "$WORK/staged.sums" "$read_again" "$INDEX" "$KEPT" "$WORK/changed" >>"$WORK/index.new"
	cp "$WORK/index.new" "$KEPT" || return 1
	# The disk is Docker's: no copy stays that nothing names.
	awk -F "$TAB" -v batch="$BATCH" 'FILENAME == ARGV[1] { if ($6 == batch) named[$1]; next } !($1 in named) { print $1 }' "$KEPT" "$WORK/staged" |
		(cd "$copies" && tr '\n' '\0' | xargs -0 -r rm -f --)
	named=$(awk -F "$TAB" -v batch="$BATCH" '$6 == batch' "$KEPT" | wc -l)
	if [ "$named" -eq 0 ]; then
		rm -rf "$copies"
	elif [ "$named" -ge "$PACK_FILES" ]; then
		tar -cf "$WORK/pack" -C "$copies" . 2>>"$WORK/copy.err" && mv "$WORK/pack" "$SERVED/p/$BATCH" || return 1
	fi
	[ ! -s "$WORK/copy.bad" ] || fail "cannot copy the metadata: $(head -n 1 "$WORK/copy.bad") (not copied: $(awk -F "$TAB" 'FILENAME == ARGV[1] { copied[$1]; next } !($1 in copied) { print $1; exit }' "$KEPT" "$WORK/changed"))"
}

# settle decides by a second look what of the copy can be used, since metadata may have changed while it was copied and
# while the layers were listed. Exit status 1: look again, for a layer went meanwhile and the copy may still name it.
settle() {
	awk -F "$TAB" -v meta="$METADATA_DIR" -v unstable="$WORK/unstable" -v gone="$WORK/gone" '
		function template(path) { path = substr(path, length(meta) + 2); sub(/\/.*/, "", path); return path }
		BEGIN { printf "" > unstable; printf "" > gone }
		FILENAME == ARGV[1] { after[$1] = $0; there[template($1)] = 1; next }
		after[$1] != $0 { print $1 > (template($1) in there ? unstable : gone) }
	' "$WORK/meta.2" "$WORK/meta.1"
	cat "$WORK/unstable" "$WORK/gone" >"$WORK/settling"
	# What is just being changed has no former version in the first list, and what that lacks would be deleted elsewhere.
	[ "$GENERATION" -gt 0 ] || [ ! -s "$WORK/unstable" ] || return 1
	if [ -s "$WORK/unstable" ] && [ -n "$(awk -F "$TAB" 'FILENAME == ARGV[1] { now[$1]; next } !($1 in now)' "$WORK/layers" "$WORK/layers.0" | head -n 1)" ]; then
		return 1
	fi
	# What is there and did not change has to be in the copy.
	if [ -n "$(awk -F "$TAB" 'FILENAME == ARGV[1] { skip[$1]; next } FILENAME == ARGV[2] { copied[$1]; next } !($1 in skip) && !($1 in copied)' "$WORK/settling" "$WORK/index.new" "$WORK/meta.1" | head -n 1)" ]; then
		return 1
	fi
	# No layer went: files that are just being changed are taken as they were before, or not yet at all.
	awk -F "$TAB" -v OFS="$TAB" '
		FILENAME == ARGV[1] { drop[$1]; next }
		FILENAME == ARGV[2] { older[$1]; next }
		FILENAME == ARGV[3] { if ($1 in older) { $2 = "racy"; print }; next }
		!($1 in drop) && !($1 in older)
	' "$WORK/gone" "$WORK/unstable" "$INDEX" "$WORK/index.new" | sort | cat >"$WORK/index.settled"
}

# check_gone fails when something that was listed before is not listed any more, but still there: find says nothing of
# a directory that it could read in part only, such as on a dying disk, and replicas delete what is not listed.
check_gone() {
	awk -F "$TAB" 'FILENAME == ARGV[1] { listed[$2]; next } !($2 in listed) { print $2 }' "$BODY.new" "$BODY" "$FORMER" | cat >"$WORK/dropped" || {
		fail "cannot tell whether files were deleted: the work directory cannot be written"
		return 1
	}
	[ -s "$WORK/dropped" ] || return 0
	(cd "$DATA" && tr '\n' '\0' <"$WORK/dropped" | xargs -0 stat -c "%F$TAB%n") >"$WORK/there" 2>"$WORK/there.err"
	there=$(awk -F "$TAB" '$1 ~ /^regular/ { print $2; exit }' "$WORK/there")
	if [ -n "$there" ]; then
		fail "$there is there, but its directory does not list it, and nothing says what else is not listed; replication goes on when all can be read: check the disk, and the kernel's log for its errors"
	elif grep -v ': No such file or directory$' "$WORK/there.err" >"$WORK/there.bad"; then
		fail "cannot tell whether files were deleted: $(head -n 1 "$WORK/there.bad"); replication goes on when all can be read: check the disk, and the kernel's log for its errors"
	elif [ "$(lines "$WORK/there" "$WORK/there.err")" -ne "$(lines "$WORK/dropped")" ]; then
		fail "cannot tell whether $(lines "$WORK/dropped") files were deleted; trying again"
	fi
}

# list_all writes the list of files to $BODY.new.
list_all() {
	{
		sed 's/^/L\t/' "$WORK/layers"
		awk -F "$TAB" '{ print "F\t" $1 "\t" $3 "\t" $4 "\t" $5 "\t" $6 }' "$WORK/index.settled"
	} >"$BODY.new"
	[ "$(lines "$BODY.new")" -eq "$(lines "$WORK/layers" "$WORK/index.settled")" ] || fail "the list of files is not whole"
}

# generate brings the served generation up to date.
generate() {
	check_sentinel || return 1
	for directory in $LAYER_DIRS $METADATA_DIR; do
		if [ ! -d "$DATA/$directory" ] && grep -q "^[LF]$TAB$directory/" "$BODY"; then
			fail "the storage lost its directory $directory, which held files"
			return 1
		fi
	done
	if ! [ "$(room "$WORK")" -ge "$RESERVE" ]; then
		fail "the container's own file system has less than $RESERVE bytes left, which the lists of files need"
		return 1
	fi
	: >"$WORK/copy.err"
	attempt=0
	while :; do
		list_layers "$WORK/layers.0" && list_metadata "$WORK/meta.1" || return 1
		FAILURE=''
		take_objects || {
			fail "${FAILURE:-cannot copy the metadata: $(tail -n 1 "$WORK/copy.err")}"
			return 1
		}
		[ ! -s "$WORK/changed" ] || rest 0.2
		list_layers "$WORK/layers" && list_metadata "$WORK/meta.2" || return 1
		FAILURE=''
		if settle; then
			# The disk may have gone while it was being listed.
			check_sentinel && list_all || return 1
			check_gone && break
			# A file may have come back; a disk does not get better by looking often.
			attempt=$((attempt + 4))
		fi
		attempt=$((attempt + 1))
		if [ $attempt -ge 10 ]; then
			fail "${FAILURE:-no consistent copy of the metadata can be made, since it changes or cannot be read; trying again $(tail -n 1 "$WORK/copy.err")}"
			return 1
		fi
	done
	mv "$WORK/index.settled" "$INDEX"
	if [ "$GENERATION" -gt 0 ] && cmp -s "$BODY" "$BODY.new"; then
		return 0
	fi
	publish
}

publish() {
	next=$(now)
	[ "$next" -gt "$GENERATION" ] || next=$((GENERATION + 1))
	{
		printf 'H\tformat\t1\nH\tid\t%s\nH\tterm\t%s\nH\tinstance\t%s\nH\tgeneration\t%s\nH\tsettings\t%s\n' \
			"$REGISTRY_ID" "$TERM_NUMBER" "$INSTANCE" "$next" "$(settings_sum)"
		cat "$BODY.new"
	} >"$WORK/manifest"
	if [ "$(lines "$WORK/manifest")" -ne $(($(lines "$BODY.new") + 6)) ]; then
		fail "cannot write a list of the files"
		return 1
	fi
	sum=$(sha256sum "$WORK/manifest" | cut -c 1-64)
	# Whatever is served is named here first, for collect.
	if ! awk -F "$TAB" -v sum="$sum" 'BEGIN { print sum } !($6 in seen) { seen[$6]; print $6 }' "$INDEX" >"$WORK/generations/$next" ||
		! mv "$WORK/manifest" "$SERVED/m/$sum"; then
		fail "cannot write a list of the files"
		return 1
	fi
	MANIFEST=$sum
	GENERATION=$next
	COLLECT=true
	mv "$BODY.new" "$BODY"
	: >"$FORMER"
	cp "$WORK/index.new" "$KEPT"
	counts=$(awk -F "$TAB" '{ n[$1]++; if ($1 == "L") bytes += $3 } END { printf "%d layers (%.0f bytes), %d files of metadata", n["L"], bytes, n["F"] }' "$BODY")
	say "generation $GENERATION: $counts"
	# shellcheck disable=SC2086
	odd=$(cd "$DATA" && set -f && find $LAYER_DIRS $METADATA_DIR ! -type d \( ! -type f -o -path '*[[:cntrl:]]*' \) 2>/dev/null | wc -l)
	if [ "$odd" -ne "$ODD" ]; then
		ODD=$odd
		say "not replicated: $odd links or files with control characters in their names"
	fi
}

# collect removes what none of the last generations names, which are known by their numbers: times of files are those of
# a clock that may have been set back. Followers fetch metadata first thing in a pass.
collect() {
	# shellcheck disable=SC2012
	(cd "$WORK/generations" && ls | sort -n -r | tail -n +$((GENERATIONS + 1)) | xargs -r rm -f)
	{
		echo "$MANIFEST"
		cat "$WORK"/generations/* 2>/dev/null
		cat "$INDEX" "$KEPT" | cut -f 6
	} | awk '!($0 in seen) { seen[$0]; print } END { print "end" }' >"$WORK/used"
	# On a full disk this list may be cut short.
	[ "$(tail -n 1 "$WORK/used")" = end ] || return 0
	for kind in m o p; do
		# shellcheck disable=SC2012
		ls "$SERVED/$kind" | awk -v kind="$kind" 'FILENAME == ARGV[1] { used[$1]; next } !($1 in used) { print kind "/" $1 }' "$WORK/used" -
	done | (cd "$SERVED" && xargs -r rm -rf)
	COLLECT=false
}

# announce writes the one file that is read again and again. Its size never changes, so that a server with an old list
# of the directory still serves all of it.
announce() {
	HEARTBEAT=$((HEARTBEAT + 1))
	printf '%s' "$2" >"$WORK/message"
	printf '%-1023.1023s\n' "anka-replication-1$TAB$REGISTRY_ID$TAB$TERM_NUMBER$TAB$INSTANCE$TAB$GENERATION$TAB$MANIFEST$TAB$HEARTBEAT$TAB$1$TAB$(quote "$WORK/message" 500)" |
		put "$SERVED/head"
	if [ "$LAST_STATE" != "$1 $2" ]; then
		if [ "$1" = ok ]; then
			[ -z "$LAST_STATE" ] || say "replication goes on"
		else
			say "replication is stopped: $2"
		fi
		LAST_STATE="$1 $2"
	fi
	printf '{"role":"source","state":"%s","generation":%s,"manifest":"%s","last_attempt":"%s","last_error":"%s"}\n' \
		"$1" "$GENERATION" "$MANIFEST" "$(timestamp)" "$(quote "$WORK/message")" | put "$RUN/status.json"
}

trap stop TERM INT
mkdir -p "$WORK" "$SERVED/m" "$SERVED/o" "$SERVED/p"
# A new life starts from nothing: all that it had can be made again from the data. But what its list does not name any
# more has to be really gone, as ever, unless other things are listed now.
rm -rf "$SERVED"/m/* "$SERVED"/o/* "$SERVED"/p/* "$WORK/generations"
mkdir "$WORK/generations"
touch "$BODY" "$FORMER" "$WORK/settings"
if [ "$(cat "$WORK/settings")" = "$(settings_sum)" ]; then
	cat "$BODY" "$FORMER" >"$FORMER.new" && mv "$FORMER.new" "$FORMER"
else
	: >"$FORMER"
	settings_sum >"$WORK/settings"
fi
: >"$INDEX"
: >"$KEPT"
: >"$WORK/meta.steady"
: >"$BODY"
GENERATION=0
MANIFEST=none
INSTANCE=$(head -c 8 /dev/urandom | od -A n -t x1 | tr -d ' \n')
check_commands
say "source started, registry $REGISTRY_ID, term $TERM_NUMBER"
start_server
while :; do
	begun=$(cut -d ' ' -f 1 /proc/uptime)
	looked_at=$GENERATION
	FAILURE=''
	problem=''
	generate || problem=${FAILURE:-the work directory cannot be written}
	server_runs || problem=${problem:-$FAILURE}
	if [ -z "$problem" ]; then
		announce ok ''
	else
		announce error "$problem"
	fi
	[ "$COLLECT" = false ] || collect
	# Where nothing changes, looking must not cost more than a fifth of a processor, however many files there are. Where
	# something came, more may come, and the last of it is waited for.
	share=1
	[ "$GENERATION" = "$looked_at" ] || share=4
	rest "$(awk -v begun="$begun" -v least="$TICK" -v most="$LONGEST" -v share="$share" '
		{ t = 4 * ($1 - begun); if (t < least) t = least; if (t > most) t = most; print t / share }
	' /proc/uptime)"
done
