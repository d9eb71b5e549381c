package inprocess

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Push uploads a layer to the registry at url and makes it a tag of a template,
// as a client would.
func Push(t testing.TB, url, template, tag string) {
	t.Helper()
	layer := template + "-" + tag + ".ank"
	send(t, http.MethodPut, url+"/registry/v2/image/"+layer, layer)
	send(t, http.MethodPost, url+"/registry/v2/vm",
		fmt.Sprintf(`{"id":%q,"name":%q,"version":{"tag":%q,"images":[%q]}}`, template, "vm-"+template, tag, layer))
}

func send(t testing.TB, method, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(resp.Body) // it only explains the failure
		t.Fatalf("%s %s: HTTP %d: %s", method, url, resp.StatusCode, answer)
	}
}
