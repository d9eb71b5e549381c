package etcd

import (
	"reflect"
	"testing"
)

// TestRecallGivesBackWhatWasMade: from the labels of a container comes the
// configuration that makes the same container again.
func TestRecallGivesBackWhatWasMade(t *testing.T) {
	d := three()
	d.Version, d.DataPath, d.Settings.BindIP = "3.5.35", "/data/etcd", "10.0.0.9"
	d.Settings.Log.MaxSize, d.Settings.Log.MaxFile = "5m", 2
	m := d.Members[2]
	m.BindIP = "fd00::3"
	spec := d.Spec(m, Bootstrap, "0123456789abcdef")
	found := createdFrom(spec)
	got, member, err := Recall(found)
	if err != nil {
		t.Fatal(err)
	}
	if member.Incarnation != "01234567" {
		t.Errorf("incarnation %q", member.Incarnation)
	}
	// The host and its address are not in labels, nor is the stop grace.
	member.Host, member.Address = m.Host, m.Address
	got.Settings.StopGrace, got.Members = d.Settings.StopGrace, d.Members
	if again := got.Spec(member, Bootstrap, "0123456789abcdef"); !reflect.DeepEqual(again, spec) {
		t.Errorf("made again it is\n%+v, not\n%+v", again, spec)
	}
	found.Labels[LabelRecord] = ""
	if _, _, err := Recall(found); err == nil {
		t.Error("no error without the label")
	}
}
