package etcd

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// said is how a member tells an alarm, as the fields of etcd's AlarmMember.
var said = regexp.MustCompile(`memberID:(\d+)\s+alarm:(\w+)`)

// alarms are the active alarms that the members tell, each once, with the
// member's name in the place of its ID: "alarm NOSPACE of etcd-1 on h1".
func alarms(members []Member, views map[string]View) []string {
	var found []string
	names := map[string]string{}
	for _, m := range members {
		for _, p := range views[m.Key()].Peers {
			at := slices.IndexFunc(members, func(m Member) bool { return p.is(m) })
			if at >= 0 {
				names[strconv.FormatUint(p.ID, 10)] = members[at].place()
			}
		}
	}
	for _, m := range members {
		for _, alarm := range views[m.Key()].Alarms {
			if parts := said.FindStringSubmatch(alarm); parts != nil {
				alarm = fmt.Sprintf("alarm %s of member %s", parts[2], parts[1])
				if name, known := names[parts[1]]; known {
					alarm = fmt.Sprintf("alarm %s of %s", parts[2], name)
				}
			}
			if !slices.Contains(found, alarm) {
				found = append(found, alarm)
			}
		}
	}
	slices.Sort(found)
	return found
}

// Alarmed tells which alarms are active and that a person has to clear them,
// and how.
func Alarmed(alarms []string) string {
	return fmt.Sprintf("%s is active, and no apply clears it: that takes a person. %s", strings.Join(alarms, " and "), recovery(alarms))
}

func recovery(alarms []string) string {
	text := strings.Join(alarms, " ")
	var ways []string
	if strings.Contains(text, "NOSPACE") {
		ways = append(ways, "To recover: compact the history, defragment each member, the leader last, and disarm the alarm (etcdctl compact, defrag, alarm disarm).")
	}
	if len(ways) == 0 || strings.Contains(text, "CORRUPT") {
		ways = append(ways, "To recover: find the member whose data differs (etcdctl endpoint hashkv), take it out (etcdctl member remove), "+
			"disarm the alarm (etcdctl alarm disarm), and apply again, which adds it on fresh data.")
	}
	return strings.Join(ways, " ")
}
