package container

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
)

// Fingerprint is the SHA-256 of the first certificate in a PEM text, which is
// the one that a service shows as its own, as 64 hex digits; "" when there is
// none. It is no secret: everybody who connects sees the certificate.
func Fingerprint(text []byte) string {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return ""
		}
		if block.Type == "CERTIFICATE" {
			sum := sha256.Sum256(block.Bytes)
			return hex.EncodeToString(sum[:])
		}
		text = rest
	}
}
