#!/bin/sh
# What source and follower have in common. This file is put in front of both. It runs under busybox ash with busybox
# and rclone and nothing else. The settings are in a file of shell assignments: ROOT, RUN, REGISTRY_ID, TERM_NUMBER,
# INTERVAL, LAYER_DIRS, METADATA_DIR, EXCLUDE and those of the one side.
set -u
umask 022
export LC_ALL=C TZ=UTC0
SETTINGS=${1:-/etc/anka/settings}
# shellcheck source=/dev/null
. "$SETTINGS"

DATA=$ROOT/data
SENTINEL=$DATA/.anka-registry
TAB=$(printf '\t')
NEWLINE='
'
FAILURE=''
# Metadata that changed together is served in one piece as well, from so many files on.
PACK_FILES=20

# rclone reads its settings from here, never from a file.
export RCLONE_CONFIG=/nowhere/rclone.conf RCLONE_LOG_LEVEL=ERROR RCLONE_STATS=0 RCLONE_USE_JSON_LOG=false

now() { date +%s; }

# uptime is in whole seconds and never goes back, which the clock does when it is set.
uptime() {
	read -r up _ </proc/uptime
	echo "${up%.*}"
}

timestamp() { date -u "+%Y-%m-%dT%H:%M:%SZ"; }

# say writes one event to the container's log.
say() { printf '%s %s\n' "$(timestamp)" "$*"; }

# fail notes why something could not be done; the caller passes the status on.
fail() {
	FAILURE=$*
	return 1
}

# put FILE writes standard input so that a reader sees all of it or the former.
put() { cat >"$1.new" && mv -f "$1.new" "$1"; }

# room DIRECTORY is the free space of its file system in bytes.
room() { stat -f -c '%a %S' "$1" | awk '{ printf "%.0f", $1 * $2 }'; }

# lines FILE... is their number of lines. It is asked often, and mostly of one file that is empty.
lines() {
	if [ $# -gt 1 ]; then
		cat "$@" | wc -l
	elif [ -s "$1" ]; then
		wc -l <"$1"
	else
		echo 0
	fi
}

# quote FILE [BYTES] is the file's text as the inside of a JSON string.
quote() {
	[ -s "$1" ] || return 0
	tr -c '\11\12\40-\176\200-\377' '?' <"$1" | tr '\11\12' '  ' | cut -c "1-${2:-2000}" | sed 's/ *$//; s/\\/\\\\/g; s/"/\\"/g'
}

# rest SECONDS waits in a way that a signal ends at once.
rest() {
	sleep "$1" &
	wait $!
}

# check_commands ends the program where the image lacks what it needs of busybox, which another image may.
check_commands() {
	rm -rf "$WORK/try"
	if mkdir -p "$WORK/try/a/b" && : >"$WORK/try/a/file" && (cd "$WORK/try/a" && printf 'file\0' | xargs -0 cp --parents -t b) &&
		sync "$WORK/try/a/b/file" && sync -f "$WORK/try" && printf 'file\0' | (cd "$WORK/try/a" && xargs -0 mv -n -t b --) && [ -f "$WORK/try/a/file" ] &&
		tar -cf "$WORK/try/pack" -C "$WORK/try/a/b" . && tar -xf "$WORK/try/pack" -C "$WORK/try" && chmod -R u=rwX,go=rX "$WORK/try/file" && touch -d @1000000000 "$WORK/try/a/file" && mv -f -T "$WORK/try/a/file" "$WORK/try/a/b/file" &&
		[ "$(stat -c '%Y|%y' "$WORK/try/a/b/file" | grep -c '^1000000000|.*\.0')" -eq 1 ] && sleep 0.01 &&
		command -v rclone >/dev/null && [ "$(room "$WORK")" -gt 0 ]; then
		return 0
	fi
	fail "the image lacks a command that is needed, or the container's file system is full: rclone, and cp -t, mv -n, -t and -T, sync, stat, tar, touch and xargs of busybox 1.35 or newer"
	say "$FAILURE"
	printf '%s' "$FAILURE" >"$RUN/failure"
	printf '{"role":"%s","state":"error","in_sync":false,"last_error":"%s","last_attempt":"%s","lag_seconds":-1}\n' "$ROLE" "$(quote "$RUN/failure")" "$(timestamp)" | put "$RUN/status.json"
	rest 30
	exit 1
}

# check_sentinel fails unless the storage that replication was set up on is there. A disk that is not mounted is an
# empty directory, and what is empty must never be taken for what was deleted.
check_sentinel() {
	if [ ! -d "$DATA" ]; then
		fail "the storage is gone: there is no directory for it; mount the disk and restart the registry's containers"
	elif [ ! -f "$SENTINEL" ]; then
		fail "the storage is not the registry's: its marker file .anka-registry is missing; the disk is not mounted or was emptied"
	elif [ "$(head -n 1 "$SENTINEL" 2>/dev/null)" != "$REGISTRY_ID" ]; then
		fail "the storage belongs to another registry: its marker file .anka-registry does not hold $REGISTRY_ID"
	fi
}

# list FORMAT DIRECTORIES FILE lists the regular files below directories of the data, sorted, in a format of stat. Files
# that go while it looks make it look again; any other error is a failure, since what cannot be read must never be taken
# for what was deleted. That find could not read a directory to its end it does not say: see check_gone of the source. Names
# with control characters are left out: no line could hold them.
list() (
	format=$1 file=$3
	cd "$DATA" || exit 1
	set -f
	# shellcheck disable=SC2086
	set -- $2
	for directory; do
		shift
		if [ -d "$directory" ]; then
			set -- "$@" "$directory"
		elif ! stat "$directory" 2>&1 >/dev/null | grep -q ': No such file or directory$'; then
			echo "$directory is there but cannot be read" >"$WORK/list.err"
			exit 1
		fi
	done
	: >"$file" || exit 1
	[ $# -gt 0 ] || exit 0
	set -- "$@" -type f ! -name '*.upload' ! -name '*.partial' ! -path '*[[:cntrl:]]*'
	IFS=$NEWLINE
	for pattern in $EXCLUDE; do
		case $pattern in
		*/*) set -- "$@" ! -path "$pattern" ! -path "$pattern/*" ;;
		*) set -- "$@" ! -name "$pattern" ! -path "*/$pattern/*" ;;
		esac
	done
	# A sort that was killed must not leave a list that lacks something. Other pipes here end as grep does.
	# shellcheck disable=SC3040
	set -o pipefail
	tries=0
	while :; do
		: >"$WORK/list.err" || exit 1
		# sort does not tell that it could not write; cat does.
		{ find "$@" -exec stat -c "$format" {} + 2>"$WORK/list.err" || [ -s "$WORK/list.err" ] || echo "find ended with an error" >"$WORK/list.err"; } |
			sort | cat >"$file" || {
			echo "the list cannot be written" >"$WORK/list.err"
			exit 1
		}
		[ -s "$WORK/list.err" ] || break
		tries=$((tries + 1))
		if [ $tries -gt 20 ] || grep -qv ': No such file or directory$' "$WORK/list.err"; then
			exit 1
		fi
	done
)

# list_layers FILE and list_metadata FILE write such lists: path, size, time of change in seconds; and path, size, time
# of change in full, stamp of the inode.
list_layers() {
	list "%n$TAB%s$TAB%Y" "$LAYER_DIRS" "$1" || fail "cannot list the layers: $(head -n 1 "$WORK/list.err")"
}
list_metadata() {
	list "%n$TAB%s$TAB%y$TAB%z|%i" "$METADATA_DIR" "$1" || fail "cannot list the metadata: $(head -n 1 "$WORK/list.err")"
}

# settings_sum stands for what both sides must agree on.
settings_sum() {
	printf '%s\n' "$LAYER_DIRS" "$METADATA_DIR" "$EXCLUDE" | sha256sum | cut -c 1-16
}

# sums DIRECTORY LIST OUTPUT hashes the listed files: hash, path.
sums() {
	(cd "$1" && tr '\n' '\0' <"$2" | xargs -0 -r sha256sum) >"$3.raw" 2>/dev/null
	sed "s/^\(.\{64\}\)  /\1$TAB/" "$3.raw" >"$3"
}
