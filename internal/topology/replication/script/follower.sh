# The follower runs beside each other replica. It pulls what the source lists, in passes: layers, then the metadata that
# names them, then deletions the other way round. Nothing of a pass has to be undone when it ends early.
STATE=$DATA/.anka-replication
WORK=$RUN/work
ROLE=follower
ERRORS=$WORK/errors
MANIFEST=$WORK/manifest
OWNED=$WORK/owned
# It can be made again, so it is not on the storage, which may be full.
INDEX=$WORK/index
# Free bytes of the disk that are left to others, and without which no lists are made in the work directory.
RESERVE=67108864
# Seconds after which what is here is looked at even when the primary did not change, and after which a source that
# shows no sign of life is taken for dead.
: "${AUDIT:=30}" "${SILENCE:=60}"
AUDITED=0
HEARTBEAT=none
HEARTBEAT_AT=$(uptime)
LAST_EVENT=''
SEEN=0
APPLIED=0
APPLIED_SUM=none
LAG_BYTES=0
BLOCKED=''
IN_SYNC=false
PASSES=0
LIMIT=''
KEPT=false
MOVED=false

export RCLONE_CONFIG_SOURCE_TYPE=webdav RCLONE_CONFIG_SOURCE_URL="$SOURCE_URL" RCLONE_CONFIG_SOURCE_VENDOR=other
# By itself rclone pauses 10 ms before every request to a WebDAV server.
export RCLONE_CONFIG_SOURCE_PACER_MIN_SLEEP=0s

# stop ends everything that this process started. What was transferred is kept.
stop() {
	trap '' TERM INT
	say "follower stopped"
	kill -TERM 0
	wait
	exit 0
}

# event says something unless it was the last thing said.
event() {
	[ "$LAST_EVENT" = "$*" ] || say "$*"
	LAST_EVENT=$*
}

write_status() {
	printf '%s' "$FAILURE" >"$WORK/failure"
	last=$(number "$(cat "$STATE/last-success" 2>/dev/null)")
	applied=$STATE/applied
	[ -f "$applied" ] || applied=/dev/null
	lag=$(($(now) - last))
	# Where the clock was set back, last lies ahead; -1 would mean never.
	[ "$IN_SYNC" = false ] && [ $lag -ge 0 ] || lag=0
	{
		printf '{"role":"follower","in_sync":%s,"generation":%s,"seen_generation":%s,"manifest":"%s",' "$IN_SYNC" "$APPLIED" "$SEEN" "$APPLIED_SUM"
		printf '"last_attempt":"%s","last_success":"%s","last_error":"%s",' "$(timestamp)" \
			"$([ "$last" -eq 0 ] || date -u -d "@$last" "+%Y-%m-%dT%H:%M:%SZ")" "$(quote "$WORK/failure")"
		printf '"lag_seconds":%s,"lag_bytes":%s,"passes":%s,"blocked_deletion":"%s",' "$([ "$last" -eq 0 ] && echo -1 || echo $lag)" "$LAG_BYTES" "$PASSES" "$BLOCKED"
		awk -F "$TAB" -v meta="$METADATA_DIR" '
			FILENAME == ARGV[1] && $1 == "L" { layers++; bytes += $3 }
			FILENAME == ARGV[1] && $1 == "F" { split(substr($2, length(meta) + 2), part, "/"); t[part[1]] }
			END { for (x in t) n++; printf "\"templates\":%d,\"layers\":%d,\"bytes\":%.0f,", n, layers, bytes }
		' "$applied"
		printf '"ahead_count":%s,"ahead":[%s],' "$(lines "$WORK/ahead")" "$(json_list "$WORK/ahead")"
		printf '"replaced_count":%s,' "$(find "$STATE/replaced" -type f 2>/dev/null | wc -l)"
		printf '"held":[%s]}\n' "$(cut -f 1 "$WORK/held" >"$WORK/held.names" && json_list "$WORK/held.names")"
	} | put "$RUN/status.json"
}

# number TEXT is the text where it is a number, and else 0: after a loss of power files may be full of zeros.
number() { case $1 in '' | *[!0-9]*) echo 0 ;; *) echo "$1" ;; esac }

# json_list FILE is the inside of a JSON list of its first 50 lines.
json_list() { [ ! -s "$1" ] || head -n 50 "$1" | sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&"/' | tr '\n' ',' | sed 's/,$//'; }

# header KEY [FILE] is a value of a manifest's header.
header() { awk -F "$TAB" -v key="$1" '$1 == "H" && $2 == key { print $3; exit } $1 != "H" { exit }' "${2:-$MANIFEST}"; }

# look fetches what the source announces, and checks that it is this registry's and current.
look() {
	limit 1
	if ! get cat source:snapshot/head >"$WORK/head"; then
		fail "cannot reach the primary's source at $SOURCE_URL: $(reason "$ERRORS")"
		return 1
	fi
	sed 's/ *$//' "$WORK/head" | tr "$TAB" '\n' >"$WORK/head.lines"
	{ read -r format; read -r id; read -r term; read -r instance; read -r generation; read -r sum; read -r beat; read -r state; read -r message; } <"$WORK/head.lines"
	if [ "$(wc -c <"$WORK/head")" -ne 1024 ] || [ "$format" != anka-replication-1 ]; then
		fail "the source's announcement cannot be read"
	elif [ "$id" != "$REGISTRY_ID" ]; then
		fail "the source at $SOURCE_URL is another registry's: its marker is $id, not $REGISTRY_ID"
	elif [ "$term" -lt "$TERM_NUMBER" ]; then
		fail "the source at $SOURCE_URL is of an earlier primary (term $term, now $TERM_NUMBER)"
	elif [ "$state" != ok ]; then
		fail "the primary stopped replication: $message"
	elif [ "$instance$beat" = "$HEARTBEAT" ] && [ $(($(uptime) - HEARTBEAT_AT)) -gt "$SILENCE" ]; then
		fail "the source has not looked at the primary's data for $(($(uptime) - HEARTBEAT_AT)) seconds"
	fi || return 1
	if [ "$instance$beat" != "$HEARTBEAT" ]; then
		HEARTBEAT=$instance$beat
		HEARTBEAT_AT=$(uptime)
	fi
	SEEN=$generation
	if [ "$APPLIED_SUM" != none ] && [ "$instance" = "$(header instance "$STATE/applied")" ] && [ "$generation" -lt "$APPLIED" ]; then
		fail "the source announces generation $generation, which is older than the $APPLIED that is here"
	fi
}

# fetch_manifest fetches the list that was announced, and believes it only when it is whole.
fetch_manifest() {
	if [ "$(sha256sum "$MANIFEST" 2>/dev/null | cut -c 1-64)" != "$sum" ] && ! get cat "source:snapshot/m/$sum" >"$MANIFEST"; then
		fail "cannot fetch the primary's list of files: $(reason "$ERRORS")"
	elif [ "$(sha256sum "$MANIFEST" | cut -c 1-64)" != "$sum" ]; then
		fail "the primary's list of files is not what was announced; trying again"
	elif [ "$(header id)$TAB$(header term)$TAB$(header generation)" != "$id$TAB$term$TAB$generation" ]; then
		fail "the primary's list of files is not of the announced generation"
	elif [ "$(header settings)" != "$(settings_sum)" ]; then
		fail "source and follower have different settings of what is replicated; apply brings both up to date"
	elif [ -n "$(foreign_paths)" ]; then
		fail "the primary's list names a path outside of layers and metadata: $(foreign_paths)"
	fi
}

foreign_paths() {
	awk -F "$TAB" -v layers="$LAYER_DIRS" -v meta="$METADATA_DIR" '
		function under(path, dirs, n, i, d) {
			n = split(dirs, d, " ")
			for (i = 1; i <= n; i++) if (index(path, d[i] "/") == 1) return 1
			return 0
		}
		$1 == "H" { next }
		("/" $2 "/") ~ /\/\.?\.?\// || !under($2, $1 == "L" ? layers : meta) || ($1 == "L" ? NF != 4 : $1 != "F" || NF != 6) { print ($2 == "" ? "(none)" : $2); exit }
	' "$MANIFEST"
}

# ownership gathers what may be replaced and deleted: what a manifest of the same term named. A new primary may lack
# what an earlier one had, and that must not be lost here.
ownership() {
	if [ "$(cat "$STATE/placed-term" 2>/dev/null)" != "$term" ]; then
		: >"$STATE/placed"
		echo "$term" | put "$STATE/placed-term"
	fi
	applied=/dev/null
	[ "$(header term "$STATE/applied")" != "$term" ] || applied=$STATE/applied
	# What was placed since may be owned before it has its place. It says nothing of what the primary had before.
	awk -F "$TAB" -v OFS="$TAB" '$1 != "L" && $1 != "F" { next } FILENAME == ARGV[2] && $1 == "F" { $1 = "P" } { print }' "$applied" "$STATE/placed" | cat >"$OWNED"
}

# pass brings this replica up to what the source announces.
pass() {
	PASSES=$((PASSES + 1))
	BLOCKED=''
	check_sentinel && look || return 1
	if [ "$sum" = "$APPLIED_SUM" ] && [ "$IN_SYNC" = true ] && [ $(($(uptime) - AUDITED)) -lt "$AUDIT" ]; then
		return 0
	fi
	: >"$WORK/names.err"
	if ! [ "$(room "$WORK")" -ge "$RESERVE" ]; then
		fail "the container's own file system has less than $RESERVE bytes left, which the lists of files need"
		return 1
	fi
	fetch_manifest && ownership || return 1
	restore_leaving && compare || return 1
	sort -u "$WORK/todo/ahead" >"$WORK/ahead"
	if ! fetch_objects; then
		delete_for_room
		return 1
	fi
	guard_deletions || return 1
	if ! fetch_layers; then
		# Deletions may make the room that is missing.
		if [ "$FULL" = true ]; then check_sentinel && apply_deletions; else delete_for_room; fi
		return 1
	fi
	sort -u "$WORK/todo/ahead" >"$WORK/ahead"
	check_sentinel && as_compared && publish_metadata && apply_deletions || return 1
	if [ "$GONE" -gt 0 ]; then
		fail "$GONE layers changed on the primary after they were listed; looking again"
		return 1
	elif [ -s "$WORK/unreadable" ]; then
		fail "the primary cannot give $(lines "$WORK/unreadable") layers that it has, such as $(head -n 1 "$WORK/unreadable" | awk -F "$TAB" '{ print $1 ": " $2 }'); all else was replicated: check its disk"
		return 1
	elif [ -s "$WORK/held" ]; then
		fail "not published, since layers are missing on the primary: $(awk -F "$TAB" 'NR < 5 { print $1 " (" $2 ")" }' "$WORK/held" | tr '\n' ' ')"
		return 1
	fi
	news=false
	if [ "$sum" != "$APPLIED_SUM" ] || [ "$IN_SYNC" = false ]; then
		news=true
	fi
	lost_layers
	# The copies of damaged layers stay owned: they are what an earlier list named.
	awk -F "$TAB" -v OFS="$TAB" '{ print "L", $1, $2, $3 }' "$WORK/todo/damaged" >>"$WORK/still"
	put "$STATE/applied" <"$MANIFEST" && put "$STATE/placed" <"$WORK/still" || return 1
	APPLIED=$generation
	APPLIED_SUM=$sum
	AUDITED=$(uptime)
	LAG_BYTES=0
	rm -rf "$STATE/objects" && mkdir -p "$STATE/objects"
	conflicts || return 1
	if [ -s "$WORK/left" ]; then
		fail "cannot delete $(lines "$WORK/left") files that the primary does not have any more, such as $(head -n 1 "$WORK/left"); trying again"
		return 1
	fi
	[ "$news" = false ] || event "in sync with generation $generation"
}

# delete_for_room deletes where the storage has no room even for new metadata. What is there of metadata that changed
# stays as it is, and so do the layers that it names.
delete_for_room() {
	grep -q 'no space left on device' "$ERRORS" || [ "$(room "$DATA")" -lt 1048576 ] || return 0
	FULL=true
	: >"$WORK/todo/publish"
	: >"$WORK/held"
	guard_deletions && check_sentinel || return 0
	apply_deletions
	fail "the replica's disk is full: what is new cannot be written; free some space, replication then goes on"
}

# apply_deletions deletes within the limit that guard_deletions found kept.
apply_deletions() {
	: >"$WORK/still"
	[ -n "$DELETION" ] || { : >"$WORK/left"; return; }
	# Metadata that is held back is not replaced yet, so what it does not name any more is counted in a later pass.
	if [ "$FULL" = true ] || [ -s "$WORK/held" ]; then
		DELETION=$UNPUBLISHED
	fi
	[ "$DELETION" = "0${TAB}0${TAB}0" ] || count_deletion || return 1
	[ "$FULL" = true ] || rm -f "$STATE/allow-deletions"
	: >"$WORK/left"
	if ! unpublish_metadata || ! remove_layers; then
		# They are counted, whatever of them went.
		cut -f 1 "$WORK/todo/unpublish" "$WORK/todo/remove" >"$WORK/left"
		return 1
	fi
}

# lost_layers finds layers that the primary's own metadata names and the primary does not have any more. They are kept
# here. Writes $WORK/lost: layer, what names it.
lost_layers() {
	: >"$WORK/lost"
	[ -s "$WORK/still" ] || return 0
	awk -F "$TAB" 'FILENAME == ARGV[1] { ahead[$1]; next } $1 == "F" && !($2 in ahead) { print $2 }' "$WORK/ahead" "$MANIFEST" >"$WORK/theirs"
	values_of "$WORK/theirs" | awk -F "$TAB" '
		FILENAME == ARGV[1] { name = $2; sub(/.*\//, "", name); still[name] = $2; next }
		$2 in still { print still[$2] "\t" $1; delete still[$2] }
	' "$WORK/still" - >"$WORK/lost"
}

# conflicts fails when something of the primary's cannot be had, since it lost it or this side has another version.
conflicts() {
	awk -F "$TAB" 'FILENAME == ARGV[1] { ahead[$1]; next } $2 in ahead { print $2 }' "$WORK/ahead" "$MANIFEST" >"$WORK/conflicts"
	if [ -s "$WORK/lost" ]; then
		fail "the primary lost $(lines "$WORK/lost") layers that its templates name, such as $(head -n 1 "$WORK/lost" | awk -F "$TAB" '{ print $1 " (named by " $2 ")" }'); they are kept here: copy them back to the primary's storage, or make a replica that has them the primary"
	elif [ -s "$WORK/todo/damaged" ]; then
		fail "the primary's layer $(head -n 1 "$WORK/todo/damaged" | awk -F "$TAB" '{ print $1 " changed its size from " $2 " to " $4 }'): layers never change; the copy here is kept ($(lines "$WORK/todo/damaged") such layers); put the right one on the primary, or delete the copy here where the primary's is right"
	elif [ -s "$WORK/conflicts" ]; then
		fail "$(lines "$WORK/conflicts") files differ from the primary's and were not put here by replication, or are layers that changed on the primary, which layers never do, such as $(head -n 1 "$WORK/conflicts"); they are left alone"
	fi
}

# pass_to_end looks again where only something of what was listed is gone already, for the next list lacks it, or
# something here is new.
pass_to_end() {
	for second in 0.5 0.5 1 1 0; do
		GONE=0
		MOVED=false
		pass && return 0
		[ "$GONE" -gt 0 ] || [ "$MOVED" = true ] || return 1
		rest "$second"
	done
	return 1
}

# attempt is one pass with its account.
attempt() {
	FAILURE=''
	was=$(cat "$WORK/ahead")
	if pass_to_end; then
		IN_SYNC=true
		now | put "$STATE/last-success"
		FAILURE=''
	else
		IN_SYNC=false
		event "not in sync: ${FAILURE:-the storage cannot be written}"
		FAILURE=${FAILURE:-the storage cannot be written}
	fi
	[ "$KEPT" = false ] || trim_replaced
	if [ "$was" != "$(cat "$WORK/ahead")" ]; then
		say "ahead of the primary: $(lines "$WORK/ahead") files $(head -n 3 "$WORK/ahead" | tr '\n' ' ')"
	fi
	write_status
	[ "$IN_SYNC" = true ]
}

take_lock() {
	# exec itself would end the shell where it cannot open the file.
	if mkdir -p "$STATE/objects" && touch "$STATE/lock" && exec 9>"$STATE/lock" && flock -n 9; then
		return 0
	fi 2>/dev/null
	fail "another follower works on the same storage, or it cannot be written"
}

trap stop TERM INT
mkdir -p "$WORK" "$RUN"
rm -f "$RUN/status.json"
: >"$WORK/ahead"
: >"$WORK/held"
: >"$ERRORS"
check_commands
say "follower started, registry $REGISTRY_ID, source $SOURCE_URL"
# Whoever asks before the first pass ends, which takes seconds when the primary is away, gets an answer.
write_status
# Two followers on one storage never work at the same time, nor does one beside the rclone of one that was killed.
until FAILURE='' && check_sentinel && take_lock; do
	PASSES=$((PASSES + 1))
	event "waiting: $FAILURE"
	write_status
	rest 1
done
touch "$STATE/applied" "$STATE/placed" "$STATE/deletions" "$WORK/deletions" "$WORK/left"
# An index on the storage is of an earlier version.
rm -f "$STATE/index"
OWNER=$(stat -c %u:%g "$DATA")
# What one that was killed had moved away to be deleted is seen again even when the primary is away.
restore_leaving
APPLIED=$(number "$(header generation "$STATE/applied")")
[ "$APPLIED" -eq 0 ] || APPLIED_SUM=$(sha256sum "$STATE/applied" | cut -c 1-64)
run_schedule
