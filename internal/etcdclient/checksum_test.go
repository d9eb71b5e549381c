package etcdclient

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"
)

func TestChecksum(t *testing.T) {
	t.Parallel()
	database := bytes.Repeat([]byte("anka"), 2048)
	sum := sha256.Sum256(database)
	whole := append(bytes.Clone(database), sum[:]...)
	empty := sha256.Sum256(nil)
	flipped := bytes.Clone(whole)
	flipped[1000] ^= 1
	for name, c := range map[string]struct {
		stream []byte
		ok     bool
	}{
		"whole":                   {whole, true},
		"nothing":                 {nil, false},
		"only a checksum":         {sum[:], false},
		"an empty database":       {empty[:], false},
		"ends early":              {whole[:len(whole)-1], false},
		"ends at a sector":        {whole[:1024+sha256.Size], false},
		"without checksum":        {database, false},
		"one bit of the database": {flipped, false},
	} {
		for _, part := range []int{1, 7, 31, 32, 33, 4096, 1 << 20} {
			check := newChecksum()
			for rest := c.stream; len(rest) > 0; {
				n := min(part, len(rest))
				if wrote, err := check.Write(rest[:n]); wrote != n || err != nil {
					t.Fatalf("wrote %d, %v", wrote, err)
				}
				rest = rest[n:]
			}
			_, err := check.verify()
			if (err == nil) != c.ok || (err != nil && !errors.Is(err, ErrCorruptSnapshot)) {
				t.Errorf("%s in parts of %d: %v", name, part, err)
			}
		}
	}
}
