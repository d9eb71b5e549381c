# The follower's comparison of the primary's list with what is there. It decides what is fetched, published and deleted.
# A list that is cut short, since the disk is full, would decide otherwise. Of busybox's commands only cat and the
# shell's own tell that they could not write: awk, cut, grep, sed and sort end with 0. Lists are therefore written by
# cat, or counted.

# index_metadata brings $INDEX up to date: path, stamp, hash of every local file of metadata. Only files whose stamp
# changed are read.
index_metadata() {
	list_metadata "$WORK/meta" || return 1
	touch "$INDEX" || return 1
	awk -F "$TAB" -v racy="$(date -u '+%Y-%m-%d %H:%M:%S' -d "@$(($(now) - 1))")" -v kept="$WORK/index.kept" -v changed="$WORK/changed" '
		BEGIN { printf "" > kept; printf "" > changed }
		FILENAME == ARGV[1] { stamp[$1] = $2; line[$1] = $0; next }
		{ s = $2 "|" $3 "|" $4 }
		($1 in stamp) && stamp[$1] == s { print line[$1] > kept; next }
		{ print $1 "\t" (substr($4, 1, 19) >= racy ? "racy" : s) > changed }
	' "$INDEX" "$WORK/meta" || return 1
	cut -f 1 "$WORK/changed" >"$WORK/changed.paths"
	sums "$DATA" "$WORK/changed.paths" "$WORK/changed.sums"
	if [ "$(lines "$WORK/changed.sums")" -ne "$(lines "$WORK/changed.paths")" ]; then
		fail "the replica's own metadata changes while it is read; trying again"
		return 1
	fi
	{
		cat "$WORK/index.kept"
		awk -F "$TAB" 'FILENAME == ARGV[1] { hash[$2] = $1; next } { print $0 "\t" hash[$1] }' "$WORK/changed.sums" "$WORK/changed"
	} | sort | put "$INDEX" || return 1
	[ "$(lines "$INDEX")" -eq "$(lines "$WORK/meta")" ] || fail "the list of the replica's own metadata is not whole"
}

# compare sorts every path into one of the lists below, each a file under $WORK/todo. What a manifest of the primary
# named before (owned), and is here as it was then, may be deleted, and replaced where it is metadata: layers never
# change. Everything else that is here was not put here by replication and is never touched: the replica is ahead.
#   copy      layers to fetch: path, size, mtime          publish   metadata: path, hash, size, batch
#   verify    layers that may be the same: the same       unpublish metadata to delete: path
#   remove    layers to delete: path, size, mtime         changed   metadata changed on this side, and on the primary as
#   ahead     paths                                                 well: path, what is to be done
#   damaged   layers that have another size on the primary: path, size, mtime, the other size and mtime
compare() {
	list_layers "$WORK/layers" && index_metadata || return 1
	rm -rf "$WORK/todo"
	mkdir -p "$WORK/todo" || return 1
	(cd "$WORK/todo" && touch copy verify damaged remove ahead publish unpublish changed save) || return 1
	bytes=$(awk -F "$TAB" -v dir="$WORK/todo/" '
		function add(list, line) { print line > (dir list); bytes += length(line) + 1 }
		FILENAME == ARGV[1] && $1 == "L" { want[$2] = $3 "\t" $4; next }
		FILENAME == ARGV[1] && $1 == "F" { meta[$2] = $5; from[$2] = $3 "\t" $6; next }
		FILENAME == ARGV[1] { next }
		FILENAME == ARGV[2] && $1 == "L" { owned[$2, $3 "\t" $4]; next }
		FILENAME == ARGV[2] && $1 == "F" { owned[$2, $5]; applied[$2] = $5; next }
		FILENAME == ARGV[2] && $1 == "P" { owned[$2, $5]; next }
		FILENAME == ARGV[2] { next }
		FILENAME == ARGV[3] {
			have[$1]; stat = $2 "\t" $3
			if (!($1 in want)) { if (($1, stat) in owned) add("remove", $0); else add("ahead", $1) }
			else if (want[$1] == stat) next
			else if (index(want[$1], $2 "\t") == 1) add("verify", $1 "\t" want[$1])
			else if (($1, stat) in owned) add("damaged", $0 "\t" want[$1])
			else add("ahead", $1)
			next
		}
		{
			have[$1]
			if ($1 in meta && meta[$1] == $3) next
			if (($1, $3) in owned) {
				if ($1 in meta) add("publish", $1 "\t" meta[$1] "\t" from[$1])
				else add("unpublish", $1)
			}
			else if ($1 in meta && meta[$1] == applied[$1]) add("changed", $1 "\tleave")
			else if ($1 in meta) add("changed", $1 "\tpublish\t" meta[$1] "\t" from[$1])
			else if ($1 in applied) add("changed", $1 "\tunpublish")
			else add("ahead", $1)
		}
		END {
			for (path in want) if (!(path in have)) add("copy", path "\t" want[path])
			for (path in meta) if (!(path in have)) add("publish", path "\t" meta[path] "\t" from[path])
			printf "%.0f", bytes
		}
	' "$MANIFEST" "$OWNED" "$WORK/layers" "$INDEX") || return 1
	# The names of all layers that the primary has or had, as metadata writes them.
	awk -F "$TAB" '$1 == "L" { sub(/.*\//, "", $2); print $2 }' "$MANIFEST" "$OWNED" | sort -u | cat >"$WORK/known" || return 1
	resolve_changed || return 1
	(cd "$WORK/todo" && for name in *; do [ ! -s "$name" ] || sort -o "$name" "$name"; done)
	if [ "$(cat "$WORK"/todo/* | wc -c)" -ne "$bytes" ]; then
		fail "the lists of what is to be done are not whole: the container's own file system is full"
		return 1
	fi
	set_aside
}

# set_aside takes what cannot get its place from the lists, and calls it ahead: there, or above it, is something else
# than a file, such as a link. Nothing else has to wait for that.
set_aside() {
	[ -s "$WORK/todo/copy" ] || [ -s "$WORK/todo/publish" ] || return 0
	awk -F "$TAB" 'FILENAME == ARGV[1] { here[$1]; next } !($1 in here) { print $1 }' "$INDEX" "$WORK/todo/copy" "$WORK/todo/publish" | cat >"$WORK/coming" || return 1
	awk -v tops="$LAYER_DIRS $METADATA_DIR" '
		BEGIN { n = split(tops, top, " "); for (i = 1; i <= n; i++) seen[top[i]] }
		{ path = $0; while (path != "" && !(path in seen)) { seen[path]; print path; if (!sub("/[^/]*$", "", path)) break } }
	' "$WORK/coming" | (cd "$DATA" && tr '\n' '\0' | xargs -0 -r stat -c "%F$TAB%n") 2>/dev/null | awk -F "$TAB" '
		FILENAME == ARGV[1] { coming[n++] = $1; file[$1]; next }
		($2 in file) ? ($1 !~ /^regular/) : ($1 != "directory") { odd[$2]; some = 1 }
		END {
			for (i = 0; some && i < n; i++) for (path = coming[i];;) {
				if (path in odd) { print coming[i]; break }
				if (!sub("/[^/]*$", "", path)) break
			}
		}
	' "$WORK/coming" - | cat >"$WORK/aside" || return 1
	[ -s "$WORK/aside" ] || return 0
	for name in copy publish; do
		awk -F "$TAB" 'FILENAME == ARGV[1] { aside[$1]; next } !($1 in aside)' "$WORK/aside" "$WORK/todo/$name" | put "$WORK/todo/$name" || return 1
	done
	cat "$WORK/aside" >>"$WORK/todo/ahead"
}

# names_of LIST [DIRECTORY] lists what files of metadata may name: path, name of a layer. The format of the metadata is
# not needed for that, only that layers are files called NAME.ank. Text may have such a word as well: this is for what
# is kept, and for names of layers that are known. names_read has to be asked afterwards.
names_of() {
	# grep does not tell that it could not read on; cat does.
	(cd "${2:-$DATA}" && tr '\n' '\0' <"$1" | xargs -0 -r cat) 2>>"$WORK/names.err" >/dev/null
	(cd "${2:-$DATA}" && tr '\n' '\0' <"$1" | xargs -0 -r grep -oHE '[A-Za-z0-9][A-Za-z0-9._-]*\.ank') 2>>"$WORK/names.err" |
		sed "s/:\([^:]*\)\$/$TAB\1/" | sort -u
}

# values_of LIST [DIRECTORY] lists likewise what surely names a layer, known or not: whole values, which are quoted or
# end their line, except descriptions.
values_of() {
	(cd "${2:-$DATA}" && tr '\n' '\0' <"$1" |
		xargs -0 -r grep -oHE "\"description\" *: *\"([^\"\\]|\\\\.)*\"|[\"'][A-Za-z0-9][A-Za-z0-9._-]*\.ank[\"']|(: *|^[ -]*)[A-Za-z0-9][A-Za-z0-9._-]*\.ank[[:space:]]*\$") 2>>"$WORK/names.err" |
		sed -n "/:\"description\" *:/d; s/:[^A-Za-z0-9:]*:*[^A-Za-z0-9:]*\([A-Za-z0-9][A-Za-z0-9._-]*\.ank\)[\"'[:space:]]*\$/$TAB\1/p" | sort -u
}

# names_read fails when names_of or values_of could not read something: a layer would count as named by nothing. Files
# that are gone name nothing.
names_read() {
	if [ ! -f "$WORK/names.err" ]; then
		fail "the container's own file system cannot be written"
	elif [ -s "$WORK/names.err" ] && grep -v ': No such file or directory$' "$WORK/names.err" >"$WORK/names.bad"; then
		fail "cannot read the replica's own metadata: $(head -n 1 "$WORK/names.bad")"
	fi
}

# resolve_changed decides about metadata that was changed on this side and on the primary. A registry notes the last
# pull in its metadata, so that a change alone is no push: it is one when it names a layer that never came from the
# primary. Otherwise the primary's version is taken, and this one kept in $STATE/replaced.
resolve_changed() {
	[ -s "$WORK/todo/changed" ] || return 0
	cut -f 1 "$WORK/todo/changed" | cat >"$WORK/changed.paths" || return 1
	values_of "$WORK/changed.paths" | awk -F "$TAB" 'FILENAME == ARGV[1] { known[$1]; next } !($2 in known) { print $1 }' "$WORK/known" - |
		sort -u | cat >"$WORK/pushed" && names_read || return 1
	more=$(awk -F "$TAB" -v dir="$WORK/todo/" '
		function add(list, line) { print line >> (dir list); bytes += length(line) + 1 }
		FILENAME == ARGV[1] { pushed[$1]; next }
		$1 in pushed { add("ahead", $1); next }
		$2 == "leave" { next }
		$2 == "publish" { add("publish", $1 "\t" $3 "\t" $4 "\t" $5); add("save", $1); next }
		{ add("unpublish", $1); add("save", $1) }
		END { printf "%.0f", bytes }
	' "$WORK/pushed" "$WORK/todo/changed") || return 1
	bytes=$((bytes + more))
}

# as_compared fails when metadata that is to be replaced or deleted is not as it was when it was compared: what was
# pushed here while layers were fetched, which may take hours, has to be compared as well.
as_compared() {
	[ -s "$WORK/todo/publish" ] || [ -s "$WORK/todo/unpublish" ] || return 0
	list_metadata "$WORK/meta.now" || return 1
	moved=$(cut -f 1 "$WORK/todo/publish" "$WORK/todo/unpublish" | awk -F "$TAB" '
		FILENAME == ARGV[1] { before[$1] = $0; next }
		FILENAME == ARGV[2] { after[$1] = $0; next }
		before[$1] != after[$1] { print $1; exit }
	' "$WORK/meta" "$WORK/meta.now" -) || return 1
	[ -n "$moved" ] || return 0
	MOVED=true
	fail "$moved was written on this side while layers were fetched; looking again"
}

# changed_names compares the layers that metadata names which is to be replaced with those that its new versions name.
# Writes $WORK/new: names; and $WORK/dropped: names of which there are no more, with "emptied" where a new version names
# nothing at all.
changed_names() {
	: >"$WORK/changing" && : >"$WORK/new" && : >"$WORK/dropped" || return 1
	[ -s "$WORK/todo/publish" ] || return 0
	cut -f 1 "$WORK/todo/publish" | cat >"$WORK/changing" || return 1
	awk -F "$TAB" '{ print $4 "/" $1 }' "$WORK/todo/publish" | cat >"$WORK/coming" || return 1
	names_of "$WORK/coming" "$STATE/objects" | sed 's|^[^/]*/||' | cat >"$WORK/new" || return 1
	names_of "$WORK/changing" | awk -F "$TAB" -v OFS="$TAB" '
		FILENAME == ARGV[1] { fills[$1]; new[$2]; next }
		!($2 in new) { print $2, ($1 in fills ? "changed" : "emptied") }
	' "$WORK/new" - | sort -u | cat >"$WORK/dropped" && names_read
}

# guard_deletions refuses to delete more than the limit in an hour, since a primary that is being emptied looks like
# one whose templates are deleted. Deletions count by templates; by files of metadata of templates that stay; and by
# layers that metadata which stays here names, or named until now: only metadata that is deleted as well explains the
# end of a layer. A layer that nothing names, such as that of an upload which was given up, is missed by nobody, and
# counts only where the primary has no layer left. Where it has nothing left at all, every deletion has to be allowed.
# What could not be deleted, $WORK/left, was counted when it was tried first.
guard_deletions() {
	BLOCKED=''
	DELETION=''
	changed_names || return 1
	if ! [ -s "$WORK/todo/remove" ] && ! [ -s "$WORK/todo/unpublish" ] && ! [ -s "$WORK/dropped" ]; then
		return 0
	fi
	deletion=$(cat "$WORK/todo/remove" "$WORK/todo/unpublish" "$WORK/dropped" | cut -f 1 | sort | sha256sum | cut -c 1-16)
	# An ID that could not be made would be that of no permission.
	[ ${#deletion} -eq 16 ] || return 1
	names_of "$WORK/todo/unpublish" | cut -f 2 | sort -u | cat >"$WORK/explained" || return 1
	cat "$WORK/todo/unpublish" "$WORK/changing" >"$WORK/leaving" || return 1
	awk -F "$TAB" 'FILENAME == ARGV[1] { leaves[$1]; next } !($1 in leaves) { print $1 }' "$WORK/leaving" "$INDEX" | cat >"$WORK/staying" || return 1
	{
		names_of "$WORK/staying"
		cat "$WORK/new"
	} | cut -f 2 | sort -u | cat >"$WORK/needed" && names_read && recent_deletions >"$WORK/deletions.recent" || return 1
	verdict=$(awk -F "$TAB" -v meta="$METADATA_DIR" -v percent="$MAX_DELETE_PERCENT" -v failures="$WORK/left" '
		function template(path) { path = substr(path, length(meta) + 2); sub(/\/.*/, "", path); return path }
		function base(path) { sub(/.*\//, "", path); return path }
		function over(n, before, total, least) { return n > 0 && n + before > least && (n + before) * 100 > percent * (total + before) }
		BEGIN { while ((getline path < failures) > 0) counted[path] }
		FILENAME == ARGV[1] && $1 == "F" { stays[template($2)]; next }
		FILENAME == ARGV[1] { if ($1 == "L") listed++; next }
		FILENAME == ARGV[2] { explained[$1]; next }
		FILENAME == ARGV[3] { needed[$1]; next }
		FILENAME == ARGV[4] { if (!($1 in dropped) || $2 == "emptied") dropped[$1] = $2; next }
		FILENAME == ARGV[5] { templates0 += $2; files0 += $3; layers0 += $4; next }
		FILENAME == ARGV[6] { local[template($1)]; nfiles++; next }
		FILENAME == ARGV[7] {
			name = base($1)
			if (name in needed) nlayers++
			else if (name in dropped) { nlayers++; if (!(name in explained)) lost[dropped[name]]++ }
			next
		}
		FILENAME == ARGV[8] && $1 in counted { next }
		FILENAME == ARGV[8] { t = template($1); if (t in stays) files++; else gone[t]; next }
		{
			name = base($1)
			all++
			if ($1 in counted) next
			if (name in explained || name in dropped) next
			if (name in needed) layers++
			else unnamed++
		}
		END {
			for (t in gone) templates++
			for (t in local) ntemplates++
			for (t in stays) left++
			emptied = lost["emptied"]
			changed = lost["changed"]
			if (over(templates, templates0, ntemplates, 1) || over(files, files0, nfiles, 4) ||
				over(layers + emptied, layers0, nlayers, 0) || over(layers + emptied + changed, layers0, nlayers, 4)) verdict = "limit"
			else if (templates > 0 && left == 0 && percent < 100) verdict = "template"
			else if (unnamed > 0 && listed == 0 && percent < 100) verdict = "layer"
			else if (templates + all > 0 && left + listed == 0) verdict = "file"
			else verdict = "ok"
			printf "%s %d %d %d %d %d", verdict, templates, files, layers, all, emptied + changed
		}
	' "$MANIFEST" "$WORK/explained" "$WORK/needed" "$WORK/dropped" "$WORK/deletions.recent" "$INDEX" "$WORK/layers" "$WORK/todo/unpublish" "$WORK/todo/remove") || return 1
	# shellcheck disable=SC2086
	set -- $verdict
	if [ "$1" = ok ] || [ "$ALLOW_DELETIONS" = "$deletion" ] || [ "$(cat "$STATE/allow-deletions" 2>/dev/null)" = "$deletion" ]; then
		# Layers that metadata here names are never deleted, so they do not count again in every pass.
		DELETION="$2$TAB$3$TAB$6"
		UNPUBLISHED="$2$TAB$3${TAB}0"
		return 0
	fi
	BLOCKED=$deletion
	if [ "$1" != limit ]; then
		fail "the primary has no $1 any more; nothing is deleted here until deletion $deletion is allowed ($2 templates, $5 layers)"
	else
		fail "the primary lost more than max_delete_percent = $MAX_DELETE_PERCENT within an hour; nothing is replicated until deletion $deletion is allowed ($2 templates, $3 files of other templates, $5 layers, of which templates that stay name $4$([ "$6" -eq 0 ] || echo "; metadata that was changed does not name $6 layers any more"))"
	fi
}

# recent_deletions lists what was deleted in the last hour. What is said to be of the future was written by a clock that
# was set back.
recent_deletions() {
	at=$(now)
	cat "$STATE/deletions" "$WORK/deletions" | awk -F "$TAB" -v since="$((at - 3600))" -v until="$at" 'NF == 4 && $1 >= since && $1 <= until' | cat
}

# count_deletion notes what is about to be deleted. Where the storage is full, that is what makes room: then it is noted
# in the work directory until there is some.
count_deletion() {
	{ recent_deletions && printf '%s\t%s\n' "$(now)" "$DELETION"; } >"$WORK/deletions.all" || return 1
	if put "$STATE/deletions" <"$WORK/deletions.all" 2>/dev/null; then
		: >"$WORK/deletions"
	else
		tail -n 1 "$WORK/deletions.all" | cat >>"$WORK/deletions"
	fi
}
