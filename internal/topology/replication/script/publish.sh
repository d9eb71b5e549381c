# The follower's changes of what readers see: metadata gets visible once all layers are there, and goes before they do.

# hold_back finds new metadata that names a layer which is not here, be it in the primary's list or not. It is not
# published: a tag without its layers is worse than none. Writes $WORK/held: templates.
hold_back() {
	list_layers "$WORK/layers" || return 1
	{
		values_of "$WORK/objects" "$STATE/objects"
		names_of "$WORK/objects" "$STATE/objects" | awk -F "$TAB" '
			FILENAME == ARGV[1] { if ($1 == "L") { sub(/.*\//, "", $2); listed[$2] }; next }
			$2 in listed
		' "$MANIFEST" -
	} | sort -u | cat >"$WORK/names" && names_read || return 1
	awk -F "$TAB" -v meta="$METADATA_DIR" '
		function template(path) { path = substr(path, length(meta) + 2); sub(/\/.*/, "", path); return path }
		FILENAME == ARGV[1] { ahead[$1]; next }
		FILENAME == ARGV[2] { if (!($1 in ahead)) { sub(/.*\//, "", $1); here[$1] }; next }
		FILENAME == ARGV[3] { hash[$2] = $1; next }
		FILENAME == ARGV[4] { if (!($2 in here)) missing[hash[$1]] = $2; next }
		$2 in missing { print template($1) "\t" missing[$2] }
	' "$WORK/todo/ahead" "$WORK/layers" "$WORK/objects.sums" "$WORK/names" "$WORK/todo/publish" | sort -u | cat >"$WORK/held"
}

# in_order LIST DIRECTORY FILES sorts paths so that files whose names others contain come first: what is named before
# what names it, with 0 or 1 in front. The others are FILES below DIRECTORY.
in_order() {
	cut -f 1 "$1" | sed 's/.*\///' | sort -u >"$WORK/basenames"
	(cd "$2" && tr '\n' '\0' <"$3" | xargs -0 -r grep -ohF -f "$WORK/basenames") 2>/dev/null | sort -u >"$WORK/named"
	awk -F "$TAB" 'FILENAME == ARGV[1] { named[$1]; next } { name = $1; sub(/.*\//, "", name); print (name in named ? 0 : 1) "\t" $0 }' "$WORK/named" "$1" |
		sort
}

# entries DIRECTORY lists its names, which ls would not write as they are.
entries() { (cd "$1" 2>/dev/null && find . -mindepth 1 -maxdepth 1) | sed 's/^..//'; }

# publish_metadata makes the templates of todo/publish visible: a new one by one rename; in one that is here new files
# first, those that others name before those, and then the changed ones.
publish_metadata() {
	template=''
	hold_back || return 1
	in_order "$WORK/todo/publish" "$STATE/objects" "$WORK/objects" | cat >"$WORK/ordered" || return 1
	entries "$DATA/$METADATA_DIR" | cat >"$WORK/templates.here" || return 1
	awk -F "$TAB" -v OFS="$TAB" -v meta="$METADATA_DIR" -v owned="$WORK/own" '
		function template(path) { path = substr(path, length(meta) + 2); sub(/\/.*/, "", path); return path }
		BEGIN { printf "" > owned }
		FILENAME == ARGV[1] { held[$1]; next }
		FILENAME == ARGV[2] { save[$1]; next }
		FILENAME == ARGV[3] { template_here[$1]; next }
		FILENAME == ARGV[4] { here[$1]; next }
		{
			t = template($2)
			if (t in held) next
			kind = $2 in save ? "save" : $2 in here ? "replace" : t in template_here || $2 == meta "/" t ? "add" : "new"
			order = kind == "new" ? 1 : kind == "add" ? 2 : 3
			directory = name = $2
			sub("/[^/]*$", "", directory)
			sub(/.*\//, "", name)
			print "F", $2, $4, "-", $3 > owned
			# Neighbours of one batch are moved together.
			print t, order, $1, $5, directory, name, kind
		}
	' "$WORK/held" "$WORK/todo/save" "$WORK/templates.here" "$INDEX" "$WORK/ordered" | sort | cat >"$WORK/publish" || return 1
	[ "$(lines "$WORK/own")" -eq "$(lines "$WORK/publish")" ] || return 1
	[ -s "$WORK/publish" ] || return 0
	rm -rf "$STATE/staging"
	mkdir -p "$STATE/staging" "$DATA/$METADATA_DIR" || return 1
	FAILURE=''
	if own <"$WORK/own" && publish_all <"$WORK/publish" && publish_new; then
		replaced=$(awk '$NF == "save"' "$WORK/publish" | wc -l)
		[ "$replaced" -eq 0 ] || say "$replaced files of metadata that were changed here were replaced; the former are in .anka-replication/replaced"
		return 0
	fi
	fail "${FAILURE:-cannot publish template $template: the storage cannot be written}"
}

# publish_all moves the listed files: those of new templates to $STATE/staging, the others into place.
publish_all() {
	group=''
	template=''
	# shellcheck disable=SC2034
	while IFS=$TAB read -r next _ _ batch directory name kind; do
		if [ "$group" != "$batch$TAB$directory$TAB$kind" ] || [ $# -ge 200 ]; then
			move_group "$@" || return 1
			group=$batch$TAB$directory$TAB$kind
			template=$next
			set -- "$kind" "$batch" "$directory"
		fi
		set -- "$@" "$name"
	done
	move_group "$@"
}

# move_group KIND BATCH DIRECTORY NAME... moves fetched files of one directory, in this order.
move_group() {
	[ $# -gt 0 ] || return 0
	how=$1 from=$STATE/objects/$2/$3 below=$3
	shift 3
	case $how in
	new)
		to=$STATE/staging${below#"$METADATA_DIR"}
		mkdir -p "$to" && (cd "$from" && mv -f -t "$to" -- "$@")
		return
		;;
	save)
		for file; do printf '%s\n' "$below/$file"; done >"$WORK/saving" && keep_replaced || return 1
		;;
	esac
	make_directory "$below" || return 1
	if [ "$how" != add ]; then
		(cd "$from" && mv -f -t "$DATA/$below" -- "$@")
		return
	fi
	(cd "$from" && mv -n -t "$DATA/$below" -- "$@") || return 1
	for file; do
		if [ -e "$from/$file" ]; then
			fail "$below/$file was written on this side while it was being published; looking again"
			return 1
		fi
	done
}

# publish_new shows the templates of $STATE/staging, each by one rename.
publish_new() {
	entries "$STATE/staging" | cat >"$WORK/staged" || return 1
	[ -s "$WORK/staged" ] || return 0
	chown -R "$OWNER" "$STATE/staging" && (cd "$STATE/staging" && tr '\n' '\0' <"$WORK/staged" | xargs -0 mv -n -t "$DATA/$METADATA_DIR" --) || return 1
	entries "$STATE/staging" | cat >"$WORK/staged" || return 1
	[ ! -s "$WORK/staged" ] || fail "template $(head -n 1 "$WORK/staged") was written on this side while it was being published; looking again"
}

# keep_replaced keeps this side's versions of the metadata that $WORK/saving lists. Only the last few hundred are kept,
# except those that the first pass after a change of the primary replaces: this side may have been the primary.
keep_replaced() {
	[ -s "$WORK/saving" ] || return 0
	kept=$STATE/replaced
	[ "$(header term "$STATE/applied")" = "$term" ] || kept=$kept/term-$term
	KEPT=true
	awk -v at="$(now)" '{ name = $0; gsub("/", "-", name); if (length(name) > 200) name = substr(name, length(name) - 199); print $0 "\t" at "-" name (n[name]++ ? "-" n[name] : "") }' "$WORK/saving" | cat >"$WORK/keeping" || return 1
	if ! mkdir -p "$kept" || ! keep_all <"$WORK/keeping"; then
		fail "cannot keep metadata that was changed here, $(head -n 1 "$WORK/saving"), in .anka-replication/replaced"
	fi
}

keep_all() {
	while IFS=$TAB read -r saved as; do
		[ ! -e "$kept/$as" ] || as=$as-$(printf '%s' "$saved" | sha256sum | cut -c 1-8)
		cp "$DATA/$saved" "$kept/$as" || {
			rm -f "$kept/$as"
			return 1
		}
	done
}

# trim_replaced leaves the last 300. What cannot be removed has no say in what is replicated.
trim_replaced() {
	KEPT=false
	(cd "$STATE/replaced" && find . -mindepth 1 -maxdepth 1 -type f | sort -r | tail -n +301 | tr '\n' '\0' | xargs -0 -r rm -f --)
	return 0
}

# unpublish_metadata deletes metadata that the primary no longer has: whole templates by one rename each, of others the
# files by themselves, and only those that are as they were compared. What cannot be deleted stays owned.
unpublish_metadata() {
	[ -s "$WORK/todo/unpublish" ] || return 0
	awk 'FILENAME == ARGV[1] { goes[$0]; next } $0 in goes' "$WORK/todo/unpublish" "$WORK/todo/save" | cat >"$WORK/saving" && keep_replaced || return 1
	templates=$(find "$DATA/$METADATA_DIR" -mindepth 1 ! -type d | awk -v from="$((${#METADATA_DIR} + 2))" -v there="$((${#DATA} + ${#METADATA_DIR} + 3))" -v whole="$WORK/leaving.whole" -v single="$WORK/leaving.single" '
		function template(path) { sub(/\/.*/, "", path); return path }
		BEGIN { printf "" > whole; printf "" > single }
		FILENAME == ARGV[1] { file[n++] = $0; t = template(substr($0, from)); if (!goes[t]++) templates++; next }
		{ found[template(substr($0, there))]++ }
		END {
			for (i = 0; i < n; i++) {
				t = template(substr(file[i], from))
				if (goes[t] != found[t]) print file[i] > single
				else if (!(t in moved)) { moved[t]; print t > whole }
			}
			print templates
		}
	' "$WORK/todo/unpublish" -)
	if [ -s "$WORK/leaving.whole" ] && mkdir -p "$STATE/leaving"; then
		(cd "$DATA/$METADATA_DIR" && tr '\n' '\0' <"$WORK/leaving.whole" | xargs -0 mv -n -t "$STATE/leaving" --)
		put_back
	elif [ -s "$WORK/leaving.whole" ]; then
		# The storage is so full that it has no room for a directory.
		cat "$WORK/todo/unpublish" >"$WORK/leaving.single"
	fi
	[ ! -s "$WORK/leaving.single" ] || unpublish_single
	as_stamped "$WORK/todo/unpublish" inode | cat >"$WORK/left" || return 1
	awk -F "$TAB" -v OFS="$TAB" 'FILENAME == ARGV[1] { left[$1]; next } $1 in left { print "F", $1, "-", "-", $3 }' "$WORK/left" "$INDEX" | cat >>"$WORK/still" || return 1
	say "deleted $(($(lines "$WORK/todo/unpublish") - $(lines "$WORK/left"))) files of metadata in $templates templates"
}

# as_stamped LIST all|inode lists which of the listed files are there as they were compared; the time of change of the
# inode, which a rename changes, is part of all.
as_stamped() {
	(cd "$DATA" && tr '\n' '\0' <"$1" | xargs -0 -r stat -c "%n$TAB%s$TAB%y$TAB%z|%i") 2>/dev/null | awk -F "$TAB" -v part="$2" '
		function stamp() { s = $4; if (part == "inode") sub(/.*\|/, "", s); return $2 "|" $3 "|" s }
		FILENAME == ARGV[1] { compared[$1] = stamp(); next }
		compared[$1] == stamp() { print $1 }
	' "$WORK/meta" -
}

# unpublish_single deletes the files of $WORK/leaving.single, those that others name last, and directories that are empty then.
unpublish_single() {
	as_stamped "$WORK/leaving.single" all | awk 'FILENAME == ARGV[1] { goes[$0]; next } $0 in goes' "$WORK/todo/unpublish" - | cat >"$WORK/deleting" || return 1
	in_order "$WORK/deleting" "$DATA" "$WORK/deleting" | cut -f 2- | tac | (cd "$DATA" && tr '\n' '\0' | xargs -0 -r rm -f --)
	(cd "$DATA/$METADATA_DIR" && find . -mindepth 1 -depth -type d) | awk -v from="$((${#METADATA_DIR} + 2))" '
		function template(path) { sub(/\/.*/, "", path); return path }
		FILENAME == ARGV[1] { t[template(substr($0, from))]; next }
		template(substr($0, 3)) in t
	' "$WORK/leaving.single" - | (cd "$DATA/$METADATA_DIR" && tr '\n' '\0' | xargs -0 -r rmdir) 2>/dev/null
}

# put_back deletes what $STATE/leaving holds of the metadata that is to be deleted, as it was when it was compared, and
# gives all else its place again: what was written between the count and the rename.
put_back() {
	(cd "$STATE/leaving" && find . ! -type d ! -path '*[[:cntrl:]]*' -exec stat -c "$METADATA_DIR/%n$TAB%s$TAB%y$TAB%z|%i" {} +) |
		sed "s/\/\.\//\//" >"$WORK/trashed"
	# What was renamed by itself has another stamp.
	awk -F "$TAB" -v from="$((${#METADATA_DIR} + 2))" '
		FILENAME == ARGV[1] { goes[$1]; next }
		FILENAME == ARGV[2] { if ($1 in goes) stamp[$1] = $2 "|" $3 (index(substr($1, from), "/") ? "|" $4 : ""); next }
		stamp[$1] == $2 "|" $3 (index(substr($1, from), "/") ? "|" $4 : "") { print substr($1, from) }
	' "$WORK/todo/unpublish" "$WORK/meta" "$WORK/trashed" | (cd "$STATE/leaving" && tr '\n' '\0' | xargs -0 -r rm -f --)
	find "$STATE/leaving" -type d -depth -exec rmdir {} + 2>/dev/null
	[ ! -d "$STATE/leaving" ] || say "kept, since it is not the primary's, was written just now or cannot be deleted: files of template $(entries "$STATE/leaving" | head -n 3 | tr '\n' ' ')"
	restore_leaving
}

# restore_leaving gives what is left in $STATE/leaving its place again, also what a follower that was killed left there.
restore_leaving() {
	[ -d "$STATE/leaving" ] || return 0
	for whole in "$STATE"/leaving/*; do
		[ -e "$DATA/$METADATA_DIR/${whole##*/}" ] || mv -T "$whole" "$DATA/$METADATA_DIR/${whole##*/}" 2>/dev/null
	done
	(cd "$STATE/leaving" && find . ! -type d | sed 's/^..//') >"$WORK/back"
	while IFS= read -r path; do
		parent=$METADATA_DIR/$path
		make_directory "${parent%/*}" && mv -n "$STATE/leaving/$path" "$DATA/$METADATA_DIR/$path"
	done <"$WORK/back"
	find "$STATE/leaving" -type d -depth -exec rmdir {} + 2>/dev/null
	return 0
}

# all_metadata lists the metadata in $WORK/meta.now, with what is excluded: that is not replicated, but it names layers.
all_metadata() {
	excluded=$EXCLUDE
	EXCLUDE=''
	list_metadata "$WORK/meta.now"
	listed=$?
	EXCLUDE=$excluded
	return $listed
}

# remove_layers deletes the layers that the primary no longer has, except those that metadata here still names, and those
# that were written again while others were fetched. What is still named or cannot be deleted stays owned, so that it
# goes when the metadata does.
remove_layers() {
	[ -s "$WORK/todo/remove" ] || return 0
	list_layers "$WORK/layers.now" && all_metadata || return 1
	awk 'FILENAME == ARGV[1] { now[$0]; next } $0 in now' "$WORK/layers.now" "$WORK/todo/remove" | cat >"$WORK/removing" || return 1
	cut -f 1 "$WORK/meta.now" | cat >"$WORK/meta.paths" || return 1
	names_of "$WORK/meta.paths" | cut -f 2 | sort -u | cat >"$WORK/named" && names_read || return 1
	awk -F "$TAB" -v removable="$WORK/removable" '
		BEGIN { printf "" > removable }
		FILENAME == ARGV[1] { named[$1]; next }
		{ name = $1; sub(/.*\//, "", name); if (name in named) print "L\t" $0; else print $1 > removable }
	' "$WORK/named" "$WORK/removing" | cat >"$WORK/still.layers" || return 1
	[ "$(lines "$WORK/still.layers" "$WORK/removable")" -eq "$(lines "$WORK/removing")" ] && cat "$WORK/still.layers" >>"$WORK/still" || return 1
	[ -s "$WORK/removable" ] || return 0
	: >"$WORK/undeleted"
	if ! (cd "$DATA" && tr '\n' '\0' <"$WORK/removable" | xargs -0 -r rm -f --); then
		(cd "$DATA" && tr '\n' '\0' <"$WORK/removable" | xargs -0 stat -c "%n") 2>/dev/null | cat >"$WORK/undeleted" || return 1
		awk -F "$TAB" 'FILENAME == ARGV[1] { left[$1]; next } $1 in left { print "L\t" $0 }' "$WORK/undeleted" "$WORK/removing" | cat >>"$WORK/still" || return 1
		cat "$WORK/undeleted" >>"$WORK/left" || return 1
	fi
	say "deleted $(($(lines "$WORK/removable") - $(lines "$WORK/undeleted"))) layers"
}
