# The source runs beside the primary. It makes generations: a consistent copy of the metadata, and then a list of the
# layers. Uploads write layers before the metadata that names them, so what the copy names is in the list, and the
# other way round for deletions, where the copy is taken again. Generations are served with the layers themselves,
# read-only, over TLS, to holders of a certificate.
WORK=$RUN/work
ROLE=source
SERVED=$ROOT/snapshot
INDEX=$WORK/index
BODY=$WORK/body
HEARTBEAT=0
SERVER=''
LAST_STATE=''
COLLECT=0
BATCH=0
ODD=0
# Free bytes without which no lists are made: one that is cut short would look like a deletion.
RESERVE=67108864

stop() {
	trap '' TERM INT
	[ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null
	say "source stopped"
	exit 0
}

# start_server (re)starts the server when it does not run. Only what replicas need can be read: the snapshots and the
# layers. Lists of directories are cached for a moment; everything that a follower reads has a name or a size that does
# not change, so an old list costs it a retry and nothing else.
start_server() {
	[ -n "$SERVER" ] && kill -0 "$SERVER" 2>/dev/null && return
	if [ -n "$SERVER" ]; then
		say "rclone ended: $(tail -n 1 "$WORK/server.log")"
	fi
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
}

# take_objects copies the metadata that is not in the index into a batch of its own, which never changes again. Files
# that go meanwhile are not in the new index. Writes $WORK/index.new from $WORK/meta.1.
take_objects() {
	# A file that changed in the last second may change again without a difference that the file system shows.
	awk -F "$TAB" -v racy="$(date -u '+%Y-%m-%d %H:%M:%S' -d "@$(($(now) - 1))")" -v kept="$WORK/index.new" -v changed="$WORK/changed" '
		BEGIN { printf "" > kept; printf "" > changed }
		FILENAME == ARGV[1] { stamp[$1] = $2; line[$1] = $0; next }
		{ s = $2 "|" $3 "|" $4 }
		($1 in stamp) && stamp[$1] == s { print line[$1] > kept; next }
		{ print $1 "\t" (substr($4, 1, 19) >= racy ? "racy" : s) "\t" $2 "\t" $3 > changed }
	' "$INDEX" "$WORK/meta.1" || return 1
	[ -s "$WORK/changed" ] || return 0
	BATCH=$((BATCH + 1))
	mkdir "$SERVED/o/$BATCH" || return 1
	cut -f 1 "$WORK/changed" >"$WORK/changed.paths"
	(cd "$DATA" && tr '\n' '\0' <"$WORK/changed.paths" | xargs -0 cp --parents -t "$SERVED/o/$BATCH") 2>"$WORK/copy.err"
	(cd "$SERVED/o/$BATCH" && find . -type f | sed 's/^..//') >"$WORK/staged.paths"
	sums "$SERVED/o/$BATCH" "$WORK/staged.paths" "$WORK/staged.sums"
	if [ "$(lines "$WORK/staged.paths")" -ge "$PACK_FILES" ]; then
		tar -cf "$WORK/pack" -C "$SERVED/o/$BATCH" . && mv "$WORK/pack" "$SERVED/p/$BATCH" || return 1
	fi
	# What was copied again and is the same stays in the batch that followers may have.
	awk -F "$TAB" -v batch="$BATCH" '
		FILENAME == ARGV[1] { hash[$2] = $1; next }
		FILENAME == ARGV[2] { was[$1] = $5; in_batch[$1] = $6; next }
		$1 in hash { print $0 "\t" hash[$1] "\t" (was[$1] == hash[$1] ? in_batch[$1] : batch) }
	' "$WORK/staged.sums" "$INDEX" "$WORK/changed" >>"$WORK/index.new"
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
	' "$WORK/gone" "$WORK/unstable" "$INDEX" "$WORK/index.new" | sort >"$WORK/index.settled"
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
	if [ "$(room "$WORK")" -lt "$RESERVE" ]; then
		fail "the container's own file system has less than $RESERVE bytes left, which the lists of files need"
		return 1
	fi
	: >"$WORK/copy.err"
	attempt=0
	while :; do
		list_layers "$WORK/layers.0" && list_metadata "$WORK/meta.1" || return 1
		take_objects || {
			fail "cannot copy the metadata: $(tail -n 1 "$WORK/copy.err")"
			return 1
		}
		[ ! -s "$WORK/changed" ] || rest 0.2
		list_layers "$WORK/layers" && list_metadata "$WORK/meta.2" || return 1
		settle && break
		attempt=$((attempt + 1))
		if [ $attempt -ge 10 ]; then
			fail "no consistent copy of the metadata can be made, since it changes or cannot be read; trying again $(tail -n 1 "$WORK/copy.err")"
			return 1
		fi
	done
	mv "$WORK/index.settled" "$INDEX"
	# The disk may have gone while it was being listed.
	check_sentinel || return 1
	{
		sed 's/^/L\t/' "$WORK/layers"
		awk -F "$TAB" '{ print "F\t" $1 "\t" $3 "\t" $4 "\t" $5 "\t" $6 }' "$INDEX"
	} >"$BODY.new"
	if [ "$(lines "$BODY.new")" -ne "$(lines "$WORK/layers" "$INDEX")" ]; then
		fail "the list of files is not whole"
		return 1
	fi
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
	sum=$(sha256sum "$WORK/manifest" | cut -c 1-64)
	mv "$WORK/manifest" "$SERVED/m/$sum" || {
		fail "cannot write a list of the files"
		return 1
	}
	MANIFEST=$sum
	GENERATION=$next
	mv "$BODY.new" "$BODY"
	counts=$(awk -F "$TAB" '{ n[$1]++; if ($1 == "L") bytes += $3 } END { printf "%d layers (%.0f bytes), %d files of metadata", n["L"], bytes, n["F"] }' "$BODY")
	say "generation $GENERATION: $counts"
	# shellcheck disable=SC2086
	odd=$(cd "$DATA" && set -f && find $LAYER_DIRS $METADATA_DIR ! -type d \( ! -type f -o -path '*[[:cntrl:]]*' \) 2>/dev/null | wc -l)
	if [ "$odd" -ne "$ODD" ]; then
		ODD=$odd
		say "not replicated: $odd links or files with control characters in their names"
	fi
	COLLECT=$((COLLECT + 1))
	if [ $((COLLECT % 20)) -eq 0 ]; then
		collect
	fi
}

# collect removes the copies that none of the last generations names. Followers fetch them first thing in a pass.
collect() {
	# shellcheck disable=SC2012
	(cd "$SERVED/m" && ls -t | tail -n +9 | xargs -r rm -f)
	cat "$SERVED"/m/* | awk -F "$TAB" '$1 == "F" { print $6 }' | sort -u >"$WORK/used"
	# shellcheck disable=SC2012
	ls "$SERVED/o" | awk -v last="$BATCH" 'FILENAME == ARGV[1] { used[$1]; next } !($1 in used) && $1 != last { print "o/" $1; print "p/" $1 }' "$WORK/used" - |
		(cd "$SERVED" && xargs -r rm -rf)
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
# A new life starts from nothing: all that it had can be made again from the data.
rm -rf "$SERVED"/m/* "$SERVED"/o/* "$SERVED"/p/*
: >"$INDEX"
: >"$BODY"
GENERATION=0
MANIFEST=none
INSTANCE=$(head -c 8 /dev/urandom | od -A n -t x1 | tr -d ' \n')
check_commands
say "source started, registry $REGISTRY_ID, term $TERM_NUMBER"
while :; do
	begun=$(cut -d ' ' -f 1 /proc/uptime)
	looked_at=$GENERATION
	FAILURE=''
	if generate; then
		announce ok ''
	else
		announce error "${FAILURE:-the work directory cannot be written}"
	fi
	start_server
	# Where nothing changes, looking must not cost more than a fifth of a processor, however many files there are. Where
	# something came, more may come, and the last of it is waited for.
	share=1
	[ "$GENERATION" = "$looked_at" ] || share=4
	rest "$(awk -v begun="$begun" -v least="$TICK" -v share="$share" '{ t = 4 * ($1 - begun); if (t < least) t = least; print t / share }' /proc/uptime)"
done
