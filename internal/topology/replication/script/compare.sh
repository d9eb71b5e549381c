# The follower's comparison of the primary's list with what is there. It decides what is fetched, published and deleted.

# index_metadata brings $STATE/index up to date: path, stamp, hash of every local file of metadata. Only files whose
# stamp changed are read.
index_metadata() {
	list_metadata "$WORK/meta" || return 1
	touch "$STATE/index"
	awk -F "$TAB" -v racy="$(date -u '+%Y-%m-%d %H:%M:%S' -d "@$(($(now) - 1))")" -v kept="$WORK/index.new" -v changed="$WORK/changed" '
		BEGIN { printf "" > kept; printf "" > changed }
		FILENAME == ARGV[1] { stamp[$1] = $2; line[$1] = $0; next }
		{ s = $2 "|" $3 "|" $4 }
		($1 in stamp) && stamp[$1] == s { print line[$1] > kept; next }
		{ print $1 "\t" (substr($4, 1, 19) >= racy ? "racy" : s) > changed }
	' "$STATE/index" "$WORK/meta"
	cut -f 1 "$WORK/changed" >"$WORK/changed.paths"
	sums "$DATA" "$WORK/changed.paths" "$WORK/changed.sums"
	if [ "$(lines "$WORK/changed.sums")" -ne "$(lines "$WORK/changed.paths")" ]; then
		fail "the replica's own metadata changes while it is read; trying again"
		return 1
	fi
	{
		cat "$WORK/index.new"
		awk -F "$TAB" 'FILENAME == ARGV[1] { hash[$2] = $1; next } { print $0 "\t" hash[$1] }' "$WORK/changed.sums" "$WORK/changed"
	} | sort | put "$STATE/index"
	[ "$(lines "$STATE/index")" -eq "$(lines "$WORK/meta")" ] || fail "the list of the replica's own metadata is not whole"
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
	(cd "$WORK/todo" && touch copy verify damaged remove ahead publish unpublish changed)
	awk -F "$TAB" -v dir="$WORK/todo/" '
		FILENAME == ARGV[1] && $1 == "L" { want[$2] = $3 "\t" $4; next }
		FILENAME == ARGV[1] && $1 == "F" { meta[$2] = $5; from[$2] = $3 "\t" $6; next }
		FILENAME == ARGV[1] { next }
		FILENAME == ARGV[2] && $1 == "L" { owned[$2, $3 "\t" $4]; next }
		FILENAME == ARGV[2] && $1 == "F" { owned[$2, $5]; applied[$2] = $5; next }
		FILENAME == ARGV[2] { next }
		FILENAME == ARGV[3] {
			have[$1]; stat = $2 "\t" $3
			if (!($1 in want)) print (($1, stat) in owned ? $0 : $1) > (dir (($1, stat) in owned ? "remove" : "ahead"))
			else if (want[$1] == stat) next
			else if (index(want[$1], $2 "\t") == 1) print $1 "\t" want[$1] > (dir "verify")
			else if (($1, stat) in owned) print $0 "\t" want[$1] > (dir "damaged")
			else print $1 > (dir "ahead")
			next
		}
		{
			have[$1]
			if ($1 in meta && meta[$1] == $3) next
			if (($1, $3) in owned) {
				if ($1 in meta) print $1 "\t" meta[$1] "\t" from[$1] > (dir "publish")
				else print $1 > (dir "unpublish")
			}
			else if ($1 in meta && meta[$1] == applied[$1]) print $1 "\tleave" > (dir "changed")
			else if ($1 in meta) print $1 "\tpublish\t" meta[$1] "\t" from[$1] > (dir "changed")
			else if ($1 in applied) print $1 "\tunpublish" > (dir "changed")
			else print $1 > (dir "ahead")
		}
		END {
			for (path in want) if (!(path in have)) print path "\t" want[path] > (dir "copy")
			for (path in meta) if (!(path in have)) print path "\t" meta[path] "\t" from[path] > (dir "publish")
		}
	' "$MANIFEST" "$OWNED" "$WORK/layers" "$STATE/index" || return 1
	# The names of all layers that the primary has or had, as metadata writes them.
	awk -F "$TAB" '$1 == "L" { sub(/.*\//, "", $2); print $2 }' "$MANIFEST" "$OWNED" | sort -u >"$WORK/known"
	resolve_changed
	(cd "$WORK/todo" && for name in *; do sort -o "$name" "$name"; done)
}

# names_of LIST [DIRECTORY] lists what files of metadata may name: path, name of a layer. The format of the metadata is
# not needed for that, only that layers are files called NAME.ank. Text may have such a word as well: this is for what
# is kept, and for names of layers that are known.
names_of() {
	(cd "${2:-$DATA}" && tr '\n' '\0' <"$1" | xargs -0 -r grep -oHE '[A-Za-z0-9][A-Za-z0-9._-]*\.ank' 2>/dev/null) |
		sed "s/:\([^:]*\)\$/$TAB\1/" | sort -u
}

# values_of LIST [DIRECTORY] lists likewise what surely names a layer, known or not: whole values, which are quoted or
# end their line, except descriptions.
values_of() {
	(cd "${2:-$DATA}" && tr '\n' '\0' <"$1" |
		xargs -0 -r grep -oHE "\"description\" *: *\"([^\"\\]|\\\\.)*\"|[\"'][A-Za-z0-9][A-Za-z0-9._-]*\.ank[\"']|(: *|^[ -]*)[A-Za-z0-9][A-Za-z0-9._-]*\.ank[[:space:]]*\$" 2>/dev/null) |
		sed -n "/:\"description\" *:/d; s/:[^A-Za-z0-9:]*:*[^A-Za-z0-9:]*\([A-Za-z0-9][A-Za-z0-9._-]*\.ank\)[\"'[:space:]]*\$/$TAB\1/p" | sort -u
}

# resolve_changed decides about metadata that was changed on this side and on the primary. A registry notes the last
# pull in its metadata, so that a change alone is no push: it is one when it names a layer that never came from the
# primary. Otherwise the primary's version is taken, and this one kept in $STATE/replaced.
resolve_changed() {
	[ -s "$WORK/todo/changed" ] || return 0
	cut -f 1 "$WORK/todo/changed" >"$WORK/changed.paths"
	values_of "$WORK/changed.paths" | awk -F "$TAB" 'FILENAME == ARGV[1] { known[$1]; next } !($2 in known) { print $1 }' "$WORK/known" - | sort -u >"$WORK/pushed"
	awk -F "$TAB" -v dir="$WORK/todo/" '
		FILENAME == ARGV[1] { pushed[$1]; next }
		$1 in pushed { print $1 >> (dir "ahead"); next }
		$2 == "leave" { next }
		$2 == "publish" { print $1 "\t" $3 "\t" $4 "\t" $5 >> (dir "publish"); print $1 >> (dir "save"); next }
		{ print $1 >> (dir "unpublish"); print $1 >> (dir "save") }
	' "$WORK/pushed" "$WORK/todo/changed"
}

# changed_names compares the layers that metadata names which is to be replaced with those that its new versions name.
# Writes $WORK/new: names; and $WORK/dropped: names of which there are no more, with "emptied" where a new version names
# nothing at all.
changed_names() {
	cut -f 1 "$WORK/todo/publish" >"$WORK/changing"
	awk -F "$TAB" '{ print $4 "/" $1 }' "$WORK/todo/publish" >"$WORK/coming"
	names_of "$WORK/coming" "$STATE/objects" | sed 's/^[^\/]*\///' >"$WORK/new"
	names_of "$WORK/changing" | awk -F "$TAB" -v OFS="$TAB" '
		FILENAME == ARGV[1] { fills[$1]; new[$2]; next }
		!($2 in new) { print $2, ($1 in fills ? "changed" : "emptied") }
	' "$WORK/new" - | sort -u >"$WORK/dropped"
}

# guard_deletions refuses to delete more than the limit in an hour, since a primary that is being emptied looks like
# one whose templates are deleted. Deletions count by templates; by files of metadata of templates that stay; and by
# layers that metadata which stays here names, or named until now: only metadata that is deleted as well explains the
# end of a layer. A layer that nothing names, such as that of an upload which was given up, is missed by nobody, and
# counts only where the primary has no layer left. Where it has nothing left at all, every deletion has to be allowed.
guard_deletions() {
	BLOCKED=''
	DELETION=''
	changed_names
	if ! [ -s "$WORK/todo/remove" ] && ! [ -s "$WORK/todo/unpublish" ] && ! [ -s "$WORK/dropped" ]; then
		return 0
	fi
	sum=$(cat "$WORK/todo/remove" "$WORK/todo/unpublish" "$WORK/dropped" | cut -f 1 | sort | sha256sum | cut -c 1-16)
	names_of "$WORK/todo/unpublish" | cut -f 2 | sort -u >"$WORK/explained"
	cat "$WORK/todo/unpublish" "$WORK/changing" >"$WORK/leaving"
	awk -F "$TAB" 'FILENAME == ARGV[1] { leaves[$1]; next } !($1 in leaves) { print $1 }' "$WORK/leaving" "$STATE/index" >"$WORK/staying"
	{
		names_of "$WORK/staying"
		cat "$WORK/new"
	} | cut -f 2 | sort -u >"$WORK/needed"
	touch "$STATE/deletions"
	verdict=$(awk -F "$TAB" -v meta="$METADATA_DIR" -v percent="$MAX_DELETE_PERCENT" -v since="$(($(now) - 3600))" '
		function template(path) { path = substr(path, length(meta) + 2); sub(/\/.*/, "", path); return path }
		function base(path) { sub(/.*\//, "", path); return path }
		function over(n, before, total, least) { return n > 0 && n + before > least && (n + before) * 100 > percent * (total + before) }
		FILENAME == ARGV[1] && $1 == "F" { stays[template($2)]; next }
		FILENAME == ARGV[1] { if ($1 == "L") listed++; next }
		FILENAME == ARGV[2] { explained[$1]; next }
		FILENAME == ARGV[3] { needed[$1]; next }
		FILENAME == ARGV[4] { if (!($1 in dropped) || $2 == "emptied") dropped[$1] = $2; next }
		FILENAME == ARGV[5] { if ($1 >= since) { templates0 += $2; files0 += $3; layers0 += $4 }; next }
		FILENAME == ARGV[6] { local[template($1)]; nfiles++; next }
		FILENAME == ARGV[7] {
			name = base($1)
			if (name in needed) nlayers++
			else if (name in dropped) { nlayers++; if (!(name in explained)) lost[dropped[name]]++ }
			next
		}
		FILENAME == ARGV[8] { t = template($1); if (t in stays) files++; else gone[t]; next }
		{
			name = base($1)
			all++
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
	' "$MANIFEST" "$WORK/explained" "$WORK/needed" "$WORK/dropped" "$STATE/deletions" "$STATE/index" "$WORK/layers" "$WORK/todo/unpublish" "$WORK/todo/remove")
	# shellcheck disable=SC2086
	set -- $verdict
	if [ "$1" = ok ] || [ "$ALLOW_DELETIONS" = "$sum" ] || [ "$(cat "$STATE/allow-deletions" 2>/dev/null)" = "$sum" ]; then
		# Layers that metadata here names are never deleted, so they do not count again in every pass.
		DELETION="$2$TAB$3$TAB$6"
		UNPUBLISHED="$2$TAB$3${TAB}0"
		return 0
	fi
	BLOCKED=$sum
	if [ "$1" != limit ]; then
		fail "the primary has no $1 any more; nothing is deleted here until deletion $sum is allowed ($2 templates, $5 layers)"
	else
		fail "the primary lost more than max_delete_percent = $MAX_DELETE_PERCENT within an hour; nothing is replicated until deletion $sum is allowed ($2 templates, $3 files of other templates, $5 layers, of which templates that stay name $4$([ "$6" -eq 0 ] || echo "; metadata that was changed does not name $6 layers any more"))"
	fi
}
