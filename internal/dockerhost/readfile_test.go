package dockerhost

import (
	"archive/tar"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// archive answers with one entry of an archive, whose header says size bytes.
func archive(w http.ResponseWriter, header tar.Header, content string) {
	w.Header().Set("X-Docker-Container-Path-Stat", "e30=") // {}
	writer := tar.NewWriter(w)
	_ = writer.WriteHeader(&header)
	_, _ = writer.Write([]byte(content))
	_ = writer.Flush() // fails where content is too short, as is meant
}

func TestReadFile(t *testing.T) {
	d := newFakeDaemon(t)
	h := d.plainHost(t)
	asked := 0
	serve := func(answer http.HandlerFunc) {
		asked = 0
		d.on("GET /containers/c/archive", func(w http.ResponseWriter, r *http.Request) {
			asked++
			answer(w, r)
		})
	}
	file := tar.Header{Name: "status.json", Typeflag: tar.TypeReg, Size: 5}
	ctx := testContext(t)

	serve(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("path") != "/run/status.json" {
			t.Errorf("asked for %s", r.URL)
		}
		archive(w, file, "12345")
	})
	if got, err := h.ReadFile(ctx, "c", "/run/status.json", 5); err != nil || string(got) != "12345" {
		t.Errorf("got %q, %v", got, err)
	}
	_, err := h.ReadFile(ctx, "c", "/run/status.json", 4)
	wantText(t, err, `"h1"`, "read /run/status.json of container c", "5 bytes, and 4 are the most")

	// A file that is replaced in mid-read is read again, and not for ever.
	serve(func(w http.ResponseWriter, _ *http.Request) {
		if asked < 3 {
			archive(w, file, "123")
			return
		}
		archive(w, file, "54321")
	})
	if got, err := h.ReadFile(ctx, "c", "/f", 5); err != nil || string(got) != "54321" || asked != 3 {
		t.Errorf("replaced: got %q, %v after %d requests", got, err, asked)
	}
	serve(func(w http.ResponseWriter, _ *http.Request) { archive(w, file, "123") })
	_, err = h.ReadFile(ctx, "c", "/f", 5)
	wantText(t, err, "changed while it was read")
	if asked != readAttempts || IsUnreachable(err) {
		t.Errorf("torn: %d requests, %v", asked, err)
	}

	serve(func(w http.ResponseWriter, _ *http.Request) {
		archive(w, tar.Header{Name: "d/", Typeflag: tar.TypeDir}, "")
	})
	_, err = h.ReadFile(ctx, "c", "/d", 5)
	wantText(t, err, "not a regular file")
	serve(refuse(http.StatusNotFound, "Could not find the file /f in container c"))
	if _, err = h.ReadFile(ctx, "c", "/f", 5); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
}

func TestClock(t *testing.T) {
	d := newFakeDaemon(t)
	h := d.plainHost(t)
	want := time.Date(2020, 2, 3, 4, 5, 6, 7, time.UTC)
	said := want.Format(time.RFC3339Nano)
	d.on("GET /info", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"SystemTime":%q}`, said)
	})
	if got, err := h.Clock(testContext(t)); err != nil || !got.Equal(want) {
		t.Errorf("got %s, %v", got, err)
	}
	said = "noon"
	_, err := h.Clock(testContext(t))
	wantText(t, err, "ask the Docker daemon for the time", "noon")
}
