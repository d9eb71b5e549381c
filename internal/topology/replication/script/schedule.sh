# When the follower makes its passes.

# due_by_cron tells whether this minute is one of the schedule's. As cron has it, a restricted day of the month and a
# restricted day of the week are alternatives.
due_by_cron() {
	# shellcheck disable=SC2046
	set -- $(date -u '+%M %H %d %m %w')
	contains "$CRON_MINUTES" "$1" && contains "$CRON_HOURS" "$2" && contains "$CRON_MONTHS" "$4" || return 1
	if [ "$CRON_DAYS_RESTRICTED" = both ]; then
		contains "$CRON_DAYS" "$3" || contains "$CRON_WEEKDAYS" "$5"
	else
		contains "$CRON_DAYS" "$3" && contains "$CRON_WEEKDAYS" "$5"
	fi
}

# contains LIST NUMBER: the list is " 0 15 30 "; the number may begin with a zero.
contains() {
	case $1 in
	*" ${2#0} "* | *" $2 "*) ;;
	*) [ "$2" = 00 ] && case $1 in *' 0 '*) ;; *) false ;; esac ;;
	esac
}

# nap SECONDS rests, and ends early when a pass is asked for, which the provider does before it changes the primary.
nap() {
	wake=$(($(uptime) + $1))
	while [ ! -e "$RUN/pass-now" ] && [ "$(uptime)" -lt "$wake" ]; do
		rest 2
	done
}

# breathe SECONDS rests between two passes of a continuous replication, exactly where the
# interval is short.
breathe() {
	if [ "$INTERVAL" -gt 5 ]; then nap "$1"; else rest "$1"; fi
}

# run_schedule never ends. A pass that failed is tried again before its time, with growing pauses.
run_schedule() {
	pause=5
	done_minute=''
	while [ "$MODE" = cron ]; do
		minute=$(date -u '+%Y-%m-%d %H:%M')
		if { [ "$minute" != "$done_minute" ] && due_by_cron; } || [ -e "$RUN/pass-now" ]; then
			rm -f "$RUN/pass-now"
			done_minute=$minute
			pause=5
			until attempt; do
				nap $pause
				rm -f "$RUN/pass-now"
				pause=$((pause < 150 ? pause * 2 : 300))
			done
		fi
		nap 5
	done
	quick=0
	while :; do
		before=$APPLIED_SUM
		rm -f "$RUN/pass-now"
		if attempt; then
			pause=5
			# Where something came, more may be coming: a look costs little.
			[ "$before" = "$APPLIED_SUM" ] || quick=$(($(uptime) + (INTERVAL < 5 ? 2 * INTERVAL : 10)))
			if [ "$INTERVAL" -le 60 ] && [ "$(uptime)" -lt "$quick" ]; then
				rest 0.5
			else
				breathe "$INTERVAL"
			fi
		else
			breathe $((pause < INTERVAL ? pause : INTERVAL))
			pause=$((pause < 150 ? pause * 2 : 300))
		fi
	done
}
