// Package wire is part of the lab's stand-in for the Anka controller and
// registry: the JSON both speak, field by field as documented. Field order
// matters, because the documented answers are compared byte for byte.
package wire

import (
	"encoding/json"
	"net/http"
)

// ControllerReply is the envelope of the controller.
type ControllerReply struct {
	Status  string `json:"status"` // OK or FAIL
	Message string `json:"message"`
	Body    any    `json:"body,omitempty"`
}

// RegistryReply is the envelope of the registry, which puts the body first.
type RegistryReply struct {
	Status  string `json:"status"`
	Body    any    `json:"body,omitempty"`
	Message string `json:"message"`
}

// ControllerStatus is the body of GET /api/v1/status.
type ControllerStatus struct {
	Status          string `json:"status"`
	Version         string `json:"version"`
	RegistryAddress string `json:"registry_address"`
	RegistryStatus  string `json:"registry_status"` // Running or FAIL
	License         string `json:"license"`
}

// RegistryStatus is the body of GET /registry/status.
type RegistryStatus struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

// Disk is the body of GET /api/v1/registry/disk, in bytes.
type Disk struct {
	Total uint64 `json:"total"`
	Free  uint64 `json:"free"`
}

// ReplyOK answers 200 with body in the controller's envelope.
func ReplyOK(w http.ResponseWriter, body any) {
	Reply(w, http.StatusOK, ControllerReply{Status: "OK", Body: body})
}

// ReplyRegistryOK answers 200 with body in the registry's envelope.
func ReplyRegistryOK(w http.ResponseWriter, body any) {
	Reply(w, http.StatusOK, RegistryReply{Status: "OK", Body: body})
}

// ReplyFail answers code with message; both envelopes agree without a body.
func ReplyFail(w http.ResponseWriter, code int, message string) {
	Reply(w, code, ControllerReply{Status: "FAIL", Message: message})
}

// ReplyUnauthorized answers 401 as documented, for missing and wrong
// credentials alike.
func ReplyUnauthorized(w http.ResponseWriter) {
	ReplyFail(w, http.StatusUnauthorized, "Authentication Required")
}

// Reply answers code with the JSON of value.
func Reply(w http.ResponseWriter, code int, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// The client may be gone; there is nobody left to tell.
	_, _ = w.Write(data)
}
