package registry

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/glog"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/serve"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/settings"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/rclone"
)

// store starts an object store with one bucket, and puts it into the process's
// environment.
func store(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := rclone.ServeObjectStore(t.Context(), "127.0.0.1", dir, "templates")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ACCESS_KEY_ID", s.KeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s.Secret)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	return filepath.Join(dir, "templates")
}

// inBucket is a registry over a bucket.
func inBucket(t *testing.T, bucket string) (*standIn, error) {
	t.Helper()
	s, err := settings.ReadRegistry(settings.Environment{
		"ANKA_BACKEND_TYPE": "s3", "ANKA_BACKEND_S3_BUCKET": bucket, "ANKA_BACKEND_S3_USE_PATH_STYLE": "true",
		"ANKA_BACKEND_S3_UPLOAD_PART_SIZE": "5242880", "ANKA_BASE_PATH": "/nowhere",
	})
	if err != nil {
		t.Fatal(err)
	}
	storage, err := OpenStorage(t.Context(), s)
	if err != nil {
		return nil, err
	}
	in := &standIn{t: t, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	in.handler = serve.Handler(newRegistry(s, storage, glog.New(&in.log, time.Now)).service())
	return in, nil
}

// TestBucket_pushPullDelete: two registries over one bucket have the same
// templates; what is pushed to one, in several parts, comes out of the other.
func TestBucket_pushPullDelete(t *testing.T) {
	dir := store(t)
	one, err := inBucket(t, "templates")
	if err != nil {
		t.Fatal(err)
	}
	other, err := inBucket(t, "templates")
	if err != nil {
		t.Fatal(err)
	}
	layer := strings.Repeat("0123456789abcdef", 12<<16) // 12 MB: three parts
	one.must(http.StatusOK, http.MethodPut, "/registry/v2/image/a.ank", layer)
	one.must(http.StatusConflict, http.MethodPut, "/registry/v2/image/a.ank", layer)
	one.must(http.StatusBadRequest, http.MethodPost, "/registry/v2/vm", `{"id":"t1","name":"x","version":{"tag":"v1","images":["a.ank","b.ank"]}}`)
	one.must(http.StatusOK, http.MethodPost, "/registry/v2/vm", `{"id":"t1","name":"x","version":{"tag":"v1","images":["a.ank"]}}`)
	if got := other.must(http.StatusOK, http.MethodGet, "/registry/v2/vm?id=t1", ""); !strings.Contains(got, `"a.ank"`) {
		t.Errorf("got %s", got)
	}
	if other.must(http.StatusOK, http.MethodGet, "/registry/v2/image/a.ank", "") != layer {
		t.Error("the layer is another one")
	}
	if info, err := os.Stat(filepath.Join(dir, "images_dir", "a.ank")); err != nil || info.Size() != int64(len(layer)) {
		t.Errorf("the bucket has %v, %v", info, err)
	}
	other.must(http.StatusOK, http.MethodDelete, "/registry/vm?id=t1", "")
	one.must(http.StatusNotFound, http.MethodGet, "/registry/v2/vm?id=t1", "")
	one.must(http.StatusNotFound, http.MethodGet, "/registry/v2/image/a.ank", "")
}

func TestBucket_notThereOrNotAllowed(t *testing.T) {
	store(t)
	if _, err := inBucket(t, "others"); err == nil || !strings.Contains(err.Error(), "others") {
		t.Errorf("got %v", err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	if _, err := inBucket(t, "templates"); err == nil {
		t.Error("the wrong key was taken")
	}
}
