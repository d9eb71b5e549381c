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
	} | sort -u >"$WORK/names"
	awk -F "$TAB" -v meta="$METADATA_DIR" '
		function template(path) { path = substr(path, length(meta) + 2); sub(/\/.*/, "", path); return path }
		FILENAME == ARGV[1] { ahead[$1]; next }
		FILENAME == ARGV[2] { if (!($1 in ahead)) { sub(/.*\//, "", $1); here[$1] }; next }
		FILENAME == ARGV[3] { hash[$2] = $1; next }
		FILENAME == ARGV[4] { if (!($2 in here)) missing[hash[$1]] = $2; next }
		$2 in missing { print template($1) "\t" missing[$2] }
	' "$WORK/todo/ahead" "$WORK/layers" "$WORK/objects.sums" "$WORK/names" "$WORK/todo/publish" | sort -u >"$WORK/held"
}

# in_order LIST DIRECTORY FILES sorts paths so that files whose names others contain come first: what is named before
# what names it, with 0 or 1 in front. The others are FILES below DIRECTORY.
in_order() {
	cut -f 1 "$1" | sed 's/.*\///' | sort -u >"$WORK/basenames"
	(cd "$2" && tr '\n' '\0' <"$3" | xargs -0 -r grep -ohF -f "$WORK/basenames") 2>/dev/null | sort -u >"$WORK/named"
	awk -F "$TAB" 'FILENAME == ARGV[1] { named[$1]; next } { name = $1; sub(/.*\//, "", name); print (name in named ? 0 : 1) "\t" $0 }' "$WORK/named" "$1" |
		sort
}

# publish_metadata makes the templates of todo/publish visible: a new one by one rename; in one that is here new files
# first, those that others name before those, and then the changed ones.
publish_metadata() {
	hold_back || return 1
	in_order "$WORK/todo/publish" "$STATE/objects" "$WORK/objects" >"$WORK/ordered"
	(cd "$DATA/$METADATA_DIR" 2>/dev/null && ls -A) >"$WORK/templates.here"
	touch "$WORK/todo/save"
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
			sub(/\/[^\/]*$/, "", directory)
			sub(/.*\//, "", name)
			print "F", $2, $4, "-", $3 > owned
			# Neighbours of one batch are moved together.
			print t, order, $1, $5, directory, name, kind
		}
	' "$WORK/held" "$WORK/todo/save" "$WORK/templates.here" "$STATE/index" "$WORK/ordered" | sort >"$WORK/publish"
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
		for file; do
			keep_replaced "$below/$file" || return 1
		done
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
	(cd "$STATE/staging" && ls -A) >"$WORK/staged"
	[ -s "$WORK/staged" ] || return 0
	chown -R "$OWNER" "$STATE/staging" && (cd "$STATE/staging" && tr '\n' '\0' <"$WORK/staged" | xargs -0 mv -n -t "$DATA/$METADATA_DIR" --) || return 1
	(cd "$STATE/staging" && ls -A) >"$WORK/staged"
	[ ! -s "$WORK/staged" ] || fail "template $(head -n 1 "$WORK/staged") was written on this side while it was being published; looking again"
}

# keep_replaced PATH keeps this side's version of metadata. Only the last few hundred are kept, except those that the
# first pass after a change of the primary replaces: this side may have been the primary.
keep_replaced() {
	kept=$STATE/replaced
	[ "$(header term "$STATE/applied")" = "$term" ] || kept=$kept/term-$term
	mkdir -p "$kept" && cp "$DATA/$1" "$kept/$(now)-$(printf '%s' "$1" | tr '/' '-')" || return 1
	# shellcheck disable=SC2012
	(cd "$STATE/replaced" && ls -t | tail -n +301 | xargs -r rm -f)
}

# unpublish_metadata deletes metadata that the primary no longer has: a whole template by one rename.
unpublish_metadata() {
	[ -s "$WORK/todo/unpublish" ] || return 0
	awk -v meta="$METADATA_DIR" '{ path = substr($0, length(meta) + 2); sub(/\/.*/, "", path); print path }' "$WORK/todo/unpublish" | sort -u >"$WORK/templates"
	while read -r template; do
		awk -v t="$METADATA_DIR/$template" '$0 == t || index($0, t "/") == 1' "$WORK/todo/unpublish" >"$WORK/one"
		if [ -f "$WORK/todo/save" ]; then
			awk 'FILENAME == ARGV[1] { save[$0]; next } $0 in save' "$WORK/todo/save" "$WORK/one" | while read -r path; do keep_replaced "$path"; done
		fi
		if [ "$(find "$DATA/$METADATA_DIR/$template" ! -type d | wc -l)" -eq "$(lines "$WORK/one")" ]; then
			mkdir -p "$STATE/leaving" && mv -T "$DATA/$METADATA_DIR/$template" "$STATE/leaving/$template"
			put_back
		else
			# Those that others name last.
			in_order "$WORK/one" "$DATA" "$WORK/one" | cut -f 2- | tac | while read -r path; do rm -f "$DATA/$path"; done
			find "$DATA/$METADATA_DIR/$template" -type d -depth -exec rmdir {} + 2>/dev/null
		fi
	done <"$WORK/templates"
	say "deleted $(lines "$WORK/todo/unpublish") files of metadata in $(lines "$WORK/templates") templates"
	# A failure shows in the next comparison.
	return 0
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
	' "$WORK/one" "$WORK/meta" "$WORK/trashed" | (cd "$STATE/leaving" && tr '\n' '\0' | xargs -0 -r rm -f --)
	find "$STATE/leaving" -type d -depth -exec rmdir {} + 2>/dev/null
	[ ! -d "$STATE/leaving" ] || say "kept, since it is not the primary's or was written just now: files of template $template"
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

# remove_layers deletes the layers that the primary no longer has, except those that metadata here still names. These
# stay owned, so that they go when the metadata does.
remove_layers() {
	: >"$WORK/still"
	[ -s "$WORK/todo/remove" ] || return 0
	list_metadata "$WORK/meta" || return 1
	cut -f 1 "$WORK/meta" >"$WORK/meta.paths"
	names_of "$WORK/meta.paths" | cut -f 2 | sort -u >"$WORK/named"
	awk -F "$TAB" -v still="$WORK/still" '
		FILENAME == ARGV[1] { named[$1]; next }
		{ name = $1; sub(/.*\//, "", name); if (name in named) print "L\t" $0 > still; else print $1 }
	' "$WORK/named" "$WORK/todo/remove" >"$WORK/removable"
	(cd "$DATA" && tr '\n' '\0' <"$WORK/removable" | xargs -0 -r rm -f --)
	[ ! -s "$WORK/removable" ] || say "deleted $(lines "$WORK/removable") layers"
}
