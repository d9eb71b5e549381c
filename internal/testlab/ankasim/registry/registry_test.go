package registry

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/serve"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/wire"
)

// standIn is a registry over a directory, with a clock that tests move.
type standIn struct {
	t       *testing.T
	base    string
	now     time.Time
	log     bytes.Buffer
	handler http.Handler
}

func start(t *testing.T, base string) *standIn {
	t.Helper()
	s, err := settings.ReadRegistry(settings.Environment{"ANKA_BASE_PATH": base})
	if err != nil {
		t.Fatal(err)
	}
	storage, err := OpenStorage(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	in := &standIn{t: t, base: base, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	registry := newRegistry(s, storage, glog.New(&in.log, time.Now))
	registry.now = func() time.Time { return in.now }
	in.handler = serve.Handler(registry.service())
	return in
}

func (in *standIn) do(method, path string, body io.Reader) (int, string) {
	in.t.Helper()
	answer := httptest.NewRecorder()
	in.handler.ServeHTTP(answer, httptest.NewRequest(method, path, body))
	return answer.Code, answer.Body.String()
}

func (in *standIn) must(code int, method, path, body string) string {
	in.t.Helper()
	got, answer := in.do(method, path, strings.NewReader(body))
	if got != code {
		in.t.Fatalf("%s %s: got %d %s, want %d", method, path, got, answer, code)
	}
	return answer
}

// push uploads one image of the given content and tags it.
func (in *standIn) push(id, tag, layer, content string) {
	in.t.Helper()
	in.must(200, "PUT", "/registry/v2/image/"+layer, content)
	in.must(200, "POST", "/registry/v2/vm", `{"id":"`+id+`","name":"vm-`+id+`","version":{"tag":"`+tag+`","images":["`+layer+`"]}}`)
}

func (in *standIn) ids() []string {
	in.t.Helper()
	var reply struct{ Body []wire.Template }
	if err := json.Unmarshal([]byte(in.must(200, "GET", "/registry/v2/vm", "")), &reply); err != nil {
		in.t.Fatal(err)
	}
	var ids []string
	for _, template := range reply.Body {
		ids = append(ids, template.ID)
	}
	return ids
}

func (in *standIn) files() []string {
	in.t.Helper()
	var files []string
	err := filepath.WalkDir(in.base, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			relative, _ := filepath.Rel(in.base, path)
			files = append(files, relative)
		}
		return err
	})
	if err != nil {
		in.t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

func (in *standIn) wantFiles(want ...string) {
	in.t.Helper()
	if got := in.files(); !slices.Equal(got, want) {
		in.t.Errorf("files:\n got %q\nwant %q", got, want)
	}
}

func TestRegistry_documentedJSON(t *testing.T) {
	in := start(t, t.TempDir())
	if got := in.must(200, "GET", "/registry/status", ""); got !=
		`{"status":"OK","body":{"status":"Running","version":"1.50.1-5e3c3f5b"},"message":""}` {
		t.Errorf("status: %s", got)
	}
	if got := in.must(200, "GET", "/registry/v2/vm", ""); got != `{"status":"OK","body":[],"message":""}` {
		t.Errorf("no templates: %s", got)
	}
	in.push("t1", "v1", "a.ank", "12345")
	if got := in.must(200, "GET", "/registry/v2/vm", ""); got !=
		`{"status":"OK","body":[{"id":"t1","name":"vm-t1","size":5}],"message":""}` {
		t.Errorf("templates: %s", got)
	}
	if got := in.must(200, "GET", "/registry/v2/vm?id=t1", ""); got !=
		`{"status":"OK","body":{"id":"t1","name":"vm-t1","size":5,"versions":[{"number":0,"tag":"v1","description":"",`+
			`"images":["a.ank"],"state_files":[],"config_file":"","nvram":"","size":5,"arch":"",`+
			`"creation_date":"2026-05-01T12:00:00Z","last_pull":"","last_push":"2026-05-01T12:00:00Z"}]},"message":""}` {
		t.Errorf("template: %s", got)
	}
	var disk struct{ Body wire.Disk }
	if err := json.Unmarshal([]byte(in.must(200, "GET", "/registry/disk", "")), &disk); err != nil ||
		disk.Body.Free == 0 || disk.Body.Total < disk.Body.Free {
		t.Errorf("disk: %+v %v", disk, err)
	}
}

func TestRegistry_storageSurvivesRestart(t *testing.T) {
	base := t.TempDir()
	first := start(t, base)
	first.must(200, "PUT", "/registry/v2/state_file/s.ank", "state")
	first.must(200, "PUT", "/registry/v2/vm/t1/file/config.yaml", "cpu: 4")
	first.must(200, "PUT", "/registry/v2/image/a.ank", "12345")
	first.must(200, "POST", "/registry/v2/vm", `{"id":"t1","name":"vm","version":{"tag":"v1","images":["a.ank"],`+
		`"state_files":["s.ank"],"config_file":"config.yaml"}}`)
	first.push("t1", "v2", "b.ank", "123")
	first.wantFiles("images_dir/a.ank", "images_dir/b.ank", "state_file_dir/s.ank",
		"vm_dir/t1/config.yaml", "vm_dir/t1/tag-0.json", "vm_dir/t1/tag-1.json", "vm_dir/t1/template.json")

	before := first.must(200, "GET", "/registry/v2/vm?id=t1", "")
	second := start(t, base)
	if after := second.must(200, "GET", "/registry/v2/vm?id=t1", ""); after != before || !strings.Contains(after, `"size":19`) {
		t.Errorf("before %s\nafter  %s", before, after)
	}
	if got := second.must(200, "GET", "/registry/v2/image/a.ank", ""); got != "12345" {
		t.Errorf("layer: %q", got)
	}
	if got := second.must(200, "GET", "/registry/v2/vm/t1/file/config.yaml", ""); got != "cpu: 4" {
		t.Errorf("configuration: %q", got)
	}
	if info, err := os.Stat(filepath.Join(base, "files", "central-logs")); err != nil || !info.IsDir() {
		t.Errorf("no directory for central logs: %v", err)
	}
}

func TestRegistry_uploadInProgressHasItsOwnName(t *testing.T) {
	in := start(t, t.TempDir())
	reader, writer := io.Pipe()
	done := make(chan int, 1)
	go func() { code, _ := in.do("PUT", "/registry/v2/image/a.ank", reader); done <- code }()
	if _, err := writer.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	in.wantFiles("images_dir/a.ank.upload")
	in.must(404, "GET", "/registry/v2/image/a.ank", "")
	in.must(409, "PUT", "/registry/v2/image/a.ank", "other")
	answer := in.must(400, "POST", "/registry/v2/vm", `{"id":"t1","name":"vm","version":{"tag":"v1","images":["a.ank"]}}`)
	if !strings.Contains(answer, "image a.ank") {
		t.Errorf("the missing layer is not named: %s", answer)
	}
	// The client goes away: its leftovers stay, and a new upload replaces them.
	_ = writer.CloseWithError(io.ErrUnexpectedEOF)
	if code := <-done; code != http.StatusInternalServerError {
		t.Errorf("broken upload: %d", code)
	}
	in.wantFiles("images_dir/a.ank.upload")
	in.must(200, "PUT", "/registry/v2/image/a.ank", "whole")
	in.wantFiles("images_dir/a.ank")
	in.must(409, "PUT", "/registry/v2/image/a.ank", "again")
}

func TestRegistry_deleteKeepsSharedLayers(t *testing.T) {
	in := start(t, t.TempDir())
	in.push("t1", "v1", "shared.ank", "12345")
	in.push("t1", "v2", "own.ank", "12345")
	in.must(200, "POST", "/registry/v2/vm", `{"id":"t2","name":"other","version":{"tag":"v1","images":["shared.ank"]}}`)
	if got := in.must(200, "DELETE", "/registry/vm?id=t1", ""); got != `{"status":"OK","message":""}` {
		t.Errorf("delete: %s", got)
	}
	in.wantFiles("images_dir/shared.ank", "vm_dir/t2/tag-0.json", "vm_dir/t2/template.json")
	if got := in.ids(); !slices.Equal(got, []string{"t2"}) {
		t.Errorf("templates: %v", got)
	}
	in.must(404, "DELETE", "/registry/vm?id=t1", "")
	in.must(404, "DELETE", "/registry/vm", "")
}

func TestRegistry_listIsAsOldAsItsCache(t *testing.T) {
	primary, replica := start(t, t.TempDir()), start(t, t.TempDir())
	if got := replica.ids(); got != nil {
		t.Fatalf("not empty: %v", got)
	}
	primary.push("t1", "v1", "a.ank", "12345")
	if err := os.CopyFS(replica.base, os.DirFS(primary.base)); err != nil {
		t.Fatal(err)
	}
	replica.now = replica.now.Add(29 * time.Second)
	if got := replica.ids(); got != nil {
		t.Errorf("seen before ANKA_VM_LIST_CACHE_TTL: %v", got)
	}
	replica.must(200, "GET", "/registry/v2/vm?id=t1", "")
	replica.now = replica.now.Add(2 * time.Second)
	if got := replica.ids(); !slices.Equal(got, []string{"t1"}) {
		t.Errorf("not seen after it: %v", got)
	}
	replica.push("t2", "v1", "b.ank", "1")
	if got := replica.ids(); !slices.Equal(got, []string{"t1", "t2"}) {
		t.Errorf("own push not seen at once: %v", got)
	}
}

func TestRegistry_tagWithoutItsLayersIsShown(t *testing.T) {
	in := start(t, t.TempDir())
	in.push("t1", "v1", "a.ank", "12345")
	if err := os.Remove(filepath.Join(in.base, "images_dir", "a.ank")); err != nil {
		t.Fatal(err)
	}
	// What a replica looks like that got metadata first: the pull then fails.
	if got := in.must(200, "GET", "/registry/v2/vm?id=t1", ""); !strings.Contains(got, `"images":["a.ank"]`) {
		t.Errorf("template: %s", got)
	}
	in.must(404, "GET", "/registry/v2/image/a.ank", "")
}

func TestRegistry_damagedMetadata(t *testing.T) {
	in := start(t, t.TempDir())
	in.push("t1", "v1", "a.ank", "1")
	in.push("t2", "v1", "b.ank", "1")
	if err := os.WriteFile(filepath.Join(in.base, "vm_dir", "t1", "tag-0.json"), []byte(`{"number"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := in.ids(); !slices.Equal(got, []string{"t2"}) {
		t.Errorf("templates: %v", got)
	}
	in.must(500, "GET", "/registry/v2/vm?id=t1", "")
	// t1 might name b.ank: with t2 gone the layer must stay.
	in.must(500, "DELETE", "/registry/vm?id=t2", "")
	if _, err := os.Stat(filepath.Join(in.base, "images_dir", "b.ank")); err != nil {
		t.Errorf("layer deleted: %v", err)
	}
}

func TestRegistry_refusesBadNames(t *testing.T) {
	in := start(t, t.TempDir())
	for _, path := range []string{
		"/registry/v2/image/a.txt", "/registry/v2/image/.ank", "/registry/v2/image/..%2f..%2fa.ank", "/registry/v2/image/a%00.ank",
		"/registry/v2/vm/..%2fx/file/y", "/registry/v2/vm/x/file/template.json",
	} {
		in.must(400, "PUT", path, "x")
	}
	in.push("t1", "v1", "a.ank", "1")
	in.must(409, "POST", "/registry/v2/vm", `{"id":"t1","name":"vm","version":{"tag":"v1","images":["a.ank"]}}`)
	for _, body := range []string{
		`{"id":"../x","name":"vm","version":{"tag":"v1"}}`, `{"id":"t3","version":{"tag":"v1"}}`, `{"id":"t3","name":"vm"}`, `{`,
		`{"id":"t3","name":"vm","version":{"tag":"v1","images":["../vm_dir/t1/tag-0.json"]}}`,
	} {
		in.must(400, "POST", "/registry/v2/vm", body)
	}
	in.wantFiles("images_dir/a.ank", "vm_dir/t1/tag-0.json", "vm_dir/t1/template.json")
}

func TestRegistry_readyWhileItsStorageIsThere(t *testing.T) {
	in := start(t, t.TempDir())
	in.must(200, "GET", "/readyz", "")
	if err := os.RemoveAll(filepath.Join(in.base, "vm_dir")); err != nil {
		t.Fatal(err)
	}
	in.must(503, "GET", "/readyz", "")
	in.must(200, "GET", "/livez", "")
}

func TestOpenStorage_unusableBasePath(t *testing.T) {
	base := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(base, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := settings.ReadRegistry(settings.Environment{"ANKA_BASE_PATH": base})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStorage(t.Context(), s); err == nil || !strings.Contains(err.Error(), base) {
		t.Errorf("got %v", err)
	}
}
