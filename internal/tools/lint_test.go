// Package tools_test proves that the linter configuration enforces the layers:
// every arrow that the design does not draw is drawn in a throw-away module,
// and the linter has to object to it, while the arrows of the design pass.
package tools_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/anka-ha/terraform-provider-anka"

// stubs are the outside packages that the cases import, by module. They are
// empty stand-ins: depguard reads import paths only.
var stubs = map[string][]string{
	"github.com/docker/docker":                        {"client", "api/types/container"},
	"github.com/docker/go-connections":                {"nat"},
	"go.etcd.io/etcd/client/v3":                       {"."},
	"google.golang.org/grpc":                          {"."},
	"github.com/hashicorp/terraform-plugin-framework": {"resource", "types"},
	"github.com/hashicorp/terraform-plugin-log":       {"tflog"},
	"github.com/hashicorp/terraform-plugin-testing":   {"helper/resource"},
	"github.com/Shopify/toxiproxy/v2":                 {"."},
	"pgregory.net/rapid":                              {"."},
	"github.com/cockroachdb/datadriven":               {"."},
	"github.com/hashicorp/terraform-plugin-go":        {"tfprotov6"},
	"golang.org/x/crypto":                             {"ssh"},
}

// layers are the packages of the project that the cases import.
var layers = []string{
	"provider", "resources/controller", "datasources/controllerstatus", "functions/joincommand", "tf/diags", "ops/etcdops",
	"topology/etcd", "dockerhost", "etcdclient", "ankaapi", "testlab",
}

// arrow is a package in dir (under internal, or "" for main.go) that imports a
// package; ours are written with a leading "~/". A body makes it use the import.
type arrow struct {
	dir     string
	imports string
	body    string
	test    bool
	// says is a part of the objection, or empty where the design allows it.
	says string
}

const (
	framework = "github.com/hashicorp/terraform-plugin-framework/resource"
	docker    = "github.com/docker/docker/client"
	etcd      = "go.etcd.io/etcd/client/v3"
)

var arrows = []arrow{
	// topology is pure
	{dir: "topology/x", imports: "net", says: "topology is pure"},
	{dir: "topology/x", imports: "net/http", says: "is not allowed"},
	{dir: "topology/x", imports: "crypto/tls", says: "topology is pure"},
	{dir: "topology/x", imports: "crypto/x509", says: "topology is pure"},
	{dir: "topology/x", imports: "os", says: "topology is pure"},
	{dir: "topology/x", imports: "os/exec", says: "topology is pure"},
	{dir: "topology/x", imports: "path/filepath", says: "topology is pure"},
	{dir: "topology/x", imports: "syscall", says: "topology is pure"},
	{dir: "topology/x", imports: "log", says: "topology is pure"},
	{dir: "topology/x", imports: "log/slog", says: "topology is pure"},
	{dir: "topology/x", imports: "math/rand", says: "topology is pure"},
	{dir: "topology/x", imports: "math/rand/v2", says: "topology is pure"},
	{dir: "topology/x", imports: "crypto/rand", says: "topology is pure"},
	{dir: "topology/x", imports: docker, says: "not allowed"},
	{dir: "topology/x", imports: etcd, says: "not allowed"},
	{dir: "topology/x", imports: framework, says: "not allowed"},
	{dir: "topology/x", imports: "golang.org/x/crypto/ssh", says: "not allowed"},
	{dir: "topology/x", imports: "~/ops/etcdops", says: "not allowed"},
	{dir: "topology/x", imports: "~/dockerhost", says: "not allowed"},
	{dir: "topology/x", imports: "net/url"},
	{dir: "topology/x", imports: "time"},
	{dir: "topology/x", imports: "~/topology/etcd"},
	{dir: "topology/x", imports: "os", test: true},
	{dir: "topology/x", imports: "pgregory.net/rapid", test: true},

	// each client library has one home
	{dir: "ops/x", imports: docker, says: "hidden by internal/dockerhost"},
	{dir: "provider/x", imports: docker, says: "hidden by internal/dockerhost"},
	{dir: "etcdclient/x", imports: docker, says: "hidden by internal/dockerhost"},
	{dir: "ops/x", imports: "github.com/docker/go-connections/nat", says: "hidden by internal/dockerhost"},
	{dir: "dockerhost/x", imports: docker},
	{dir: "testlab/x", imports: docker},
	{dir: "ops/x", imports: etcd, says: "hidden by internal/etcdclient"},
	{dir: "dockerhost/x", imports: etcd, says: "hidden by internal/etcdclient"},
	{dir: "resources/x", imports: "google.golang.org/grpc", says: "hidden by internal/etcdclient"},
	{dir: "etcdclient/x", imports: etcd},
	{dir: "ops/x", imports: "net/http", says: "spoken by internal/ankaapi"},
	{dir: "dockerhost/x", imports: "net/http", says: "spoken by internal/ankaapi"},
	{dir: "provider/x", imports: "net/http", says: "spoken by internal/ankaapi"},
	{dir: "datasources/x", imports: "net/http", says: "spoken by internal/ankaapi"},
	{dir: "ankaapi/x", imports: "net/http"},
	{dir: "ops/x", imports: framework, says: "framework belongs to"},
	{dir: "dockerhost/x", imports: framework, says: "framework belongs to"},
	{dir: "ankaapi/x", imports: "github.com/hashicorp/terraform-plugin-log/tflog", says: "framework belongs to"},
	{dir: "resources/x", imports: framework},
	{dir: "datasources/x", imports: framework},
	{dir: "functions/x", imports: framework},
	{dir: "tf/x", imports: framework},
	{dir: "provider/x", imports: framework},

	// the lab is not part of the product
	{dir: "ops/x", imports: "~/testlab", says: "lab is for tests only"},
	{dir: "provider/x", imports: "~/testlab", says: "lab is for tests only"},
	{dir: "resources/x", imports: "github.com/hashicorp/terraform-plugin-testing/helper/resource", says: "for tests only"},
	{dir: "ops/x", imports: "github.com/Shopify/toxiproxy/v2", says: "for tests only"},
	{dir: "ops/x", imports: "testing", says: "for tests only"},
	{dir: "resources/x", imports: "~/testlab", test: true},

	// between the layers
	{dir: "dockerhost/x", imports: "~/ops/etcdops", says: "know nothing of ops"},
	{dir: "etcdclient/x", imports: "~/provider", says: "know nothing of Terraform"},
	{dir: "ankaapi/x", imports: "~/tf/diags", says: "know nothing of Terraform"},
	{dir: "dockerhost/x", imports: "~/etcdclient", says: "do not know each other"},
	{dir: "etcdclient/x", imports: "~/ankaapi", says: "do not know each other"},
	{dir: "ankaapi/x", imports: "~/dockerhost", says: "do not know each other"},
	{dir: "ops/x", imports: "~/resources/controller", says: "knows nothing of Terraform"},
	{dir: "ops/x", imports: "~/provider", says: "knows nothing of Terraform"},
	{dir: "ops/x", imports: "~/datasources/controllerstatus", says: "knows nothing of Terraform"},
	{dir: "ops/x", imports: "~/tf/diags", says: "knows nothing of Terraform"},
	{dir: "ops/x", imports: "~/dockerhost"},
	{dir: "ops/x", imports: "~/topology/etcd"},
	{dir: "tf/x", imports: "~/provider", says: "tf is below provider"},
	{dir: "tf/x", imports: "~/resources/controller", says: "tf is below resources"},
	{dir: "tf/x", imports: "~/datasources/controllerstatus", says: "tf is below datasources"},
	{dir: "resources/x", imports: "~/provider", says: "not the other way round"},
	{dir: "resources/x", imports: "~/dockerhost", says: "act through internal/ops"},
	{dir: "resources/x", imports: "~/etcdclient", says: "act through internal/ops"},
	{dir: "datasources/x", imports: "~/ankaapi", says: "act through internal/ops"},
	{dir: "resources/x", imports: "~/datasources/controllerstatus", says: "do not know each other"},
	{dir: "datasources/x", imports: "~/resources/controller", says: "do not know each other"},
	{dir: "ankaapi/x", imports: "~/functions/joincommand", says: "know nothing of Terraform"},
	{dir: "ops/x", imports: "~/functions/joincommand", says: "knows nothing of Terraform"},
	{dir: "tf/x", imports: "~/functions/joincommand", says: "tf is below functions"},
	{dir: "resources/x", imports: "~/functions/joincommand", says: "functions are for configurations"},
	{dir: "datasources/x", imports: "~/functions/joincommand", says: "functions are for configurations"},
	{dir: "functions/x", imports: "~/provider", says: "functions only compute"},
	{dir: "functions/x", imports: "~/resources/controller", says: "functions only compute"},
	{dir: "functions/x", imports: "~/datasources/controllerstatus", says: "functions only compute"},
	{dir: "functions/x", imports: "~/ops/etcdops", says: "functions only compute"},
	{dir: "functions/x", imports: "~/dockerhost", says: "functions only compute"},
	{dir: "functions/x", imports: "~/etcdclient", says: "functions only compute"},
	{dir: "functions/x", imports: "~/ankaapi", says: "functions only compute"},
	{dir: "functions/x", imports: "os", says: "functions only compute"},
	{dir: "functions/x", imports: "net", says: "functions only compute"},
	{dir: "functions/x", imports: "net/http", says: "spoken by internal/ankaapi"},
	{dir: "functions/x", imports: "~/topology/etcd"},
	{dir: "functions/x", imports: "~/tf/diags"},
	{dir: "provider/x", imports: "~/functions/joincommand"},
	{dir: "resources/x", imports: "~/ops/etcdops"},
	{dir: "resources/x", imports: "~/topology/etcd"},
	{dir: "provider/x", imports: "~/resources/controller"},
	{dir: "", imports: "~/ops/etcdops", says: "main starts internal/provider"},
	{dir: "", imports: "~/resources/controller", says: "main starts internal/provider"},
	{dir: "", imports: "~/functions/joincommand", says: "main starts internal/provider"},
	{dir: "", imports: "~/dockerhost", says: "main starts internal/provider"},
}

var identifiers = []arrow{
	{dir: "ops/x", imports: "time", body: "time.Sleep(1)", says: "poll with a ticker"},
	{dir: "ops/x", imports: "time", body: "time.Sleep(1)", test: true, says: "poll with a ticker"},
	{dir: "testlab/x", imports: "time", body: "time.Sleep(1)", says: "poll with a ticker"},
	{dir: "ops/x", body: `panic("x")`, says: "return an error"},
	{dir: "ops/x", imports: "fmt", body: "fmt.Println()", says: "only commands print"},
	{dir: "ops/x", imports: "os", body: "os.Exit(1)", says: "only main decides"},
	{dir: "ops/x", imports: "log", body: `log.Fatalf("x")`, says: "only main decides"},
	{dir: "topology/x", imports: "time", body: "_ = time.Now()", says: "topology has no clock"},
	{dir: "topology/x", imports: "time", body: "_ = time.Since(time.Time{})", says: "topology has no clock"},
	{dir: "ops/x", imports: "time", body: "_ = time.Now()"},
	{dir: "testlab/cmd/lab", imports: "fmt", body: "fmt.Println()"},
	{dir: "ops/x", imports: "testing", body: "var t *testing.T; t.Skip()", test: true, says: "a skipped test proves nothing"},
	{dir: "ops/x", imports: "testing", body: "var t testing.TB; t.Skipf(\"\")", test: true, says: "a skipped test proves nothing"},
}

func TestLinterEnforcesTheLayers(t *testing.T) {
	cases := append(append([]arrow{}, arrows...), identifiers...)
	root := newModule(t)
	files := make([]string, len(cases))
	for i, c := range cases {
		files[i] = c.write(t, root, i)
	}
	found := runLinter(t, root)
	for i, c := range cases {
		var objections []string
		for _, text := range found[files[i]] {
			// All cases of main share one file, so the import tells them apart.
			if c.dir != "" || strings.Contains(text, "'"+c.target()+"'") {
				objections = append(objections, text)
			}
		}
		said := strings.Join(objections, "; ")
		if c.says == "" && said != "" {
			t.Errorf("%+v is allowed by the design, but the linter says: %s", c, said)
		}
		if c.says != "" && !strings.Contains(said, c.says) {
			t.Errorf("%+v breaks the design, but the linter says: %q", c, said)
		}
	}
}

// target is the import path that the case is about.
func (a arrow) target() string {
	if rest, ours := strings.CutPrefix(a.imports, "~/"); ours {
		return module + "/internal/" + rest
	}
	return a.imports
}

// write puts the case into the module at root and returns its file, relative.
func (a arrow) write(t *testing.T, root string, i int) string {
	t.Helper()
	if a.dir == "" {
		content, err := os.ReadFile(filepath.Join(root, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		added := strings.Replace(string(content), "import (\n", fmt.Sprintf("import (\n\t_ %q\n", a.target()), 1)
		writeFile(t, filepath.Join(root, "main.go"), added)
		return "main.go"
	}
	source := fmt.Sprintf("package x%d\n\n", i)
	switch {
	case a.body == "":
		source += fmt.Sprintf("import _ %q\n", a.target())
	case a.imports == "":
		source += "func F() {\n\t" + a.body + "\n}\n"
	default:
		source += fmt.Sprintf("import %q\n\nfunc F() {\n\t%s\n}\n", a.target(), a.body)
	}
	name := "x.go"
	if a.test {
		name = "x_test.go"
	}
	file := path.Join("internal", a.dir, fmt.Sprintf("x%d", i), name)
	writeFile(t, filepath.Join(root, file), source)
	return file
}

// newModule makes a module of the project's name with its linter configuration,
// one empty package per layer, and empty stand-ins for the outside modules.
func newModule(t *testing.T) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile("../../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(root, ".golangci.yml"), string(config))
	writeFile(t, filepath.Join(root, "main.go"), "package main\n\nimport (\n)\n\nfunc main() {}\n")
	for _, layer := range layers {
		writeFile(t, filepath.Join(root, "internal", layer, "layer.go"), "package "+path.Base(layer)+"\n")
	}
	gomod := "module " + module + "\n\ngo 1.26.0\n"
	for stub, packages := range stubs {
		version := "v0.0.0"
		if strings.HasSuffix(stub, "/v2") || strings.HasSuffix(stub, "/v3") {
			version = stub[strings.LastIndex(stub, "/")+1:] + ".0.0"
		}
		gomod += fmt.Sprintf("\nrequire %s %s\nreplace %s => ./stubs/%s\n", stub, version, stub, stub)
		dir := filepath.Join(root, "stubs", stub)
		writeFile(t, filepath.Join(dir, "go.mod"), "module "+stub+"\n\ngo 1.26.0\n")
		for _, name := range packages {
			writeFile(t, filepath.Join(dir, name, "stub.go"), "package stub\n")
		}
	}
	writeFile(t, filepath.Join(root, "go.mod"), gomod)
	return root
}

// runLinter returns what depguard and forbidigo object to, by file. The linter
// is the one GNUmakefile built, or the tool of this module.
func runLinter(t *testing.T, root string) map[string][]string {
	t.Helper()
	arguments := []string{
		"run", "--allow-parallel-runners", "--enable-only=depguard,forbidigo", "--output.json.path=stdout", "--show-stats=false",
		"--max-issues-per-linter=0", "--max-same-issues=0", "./...",
	}
	linter := os.Getenv("GOLANGCI_LINT")
	if linter == "" {
		output, err := exec.CommandContext(t.Context(), "go", "tool", "-n", "golangci-lint").Output()
		if err != nil {
			t.Fatalf("unable to find golangci-lint; set GOLANGCI_LINT to its path: %v", err)
		}
		linter = strings.TrimSpace(string(output))
	}
	command := exec.CommandContext(t.Context(), linter, arguments...)
	command.Dir = root
	command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.Output()
	var report struct {
		Issues []struct {
			FromLinter, Text string
			Pos              struct{ Filename string }
		}
	}
	if jsonErr := json.Unmarshal(bytes.SplitN(stdout, []byte("\n"), 2)[0], &report); jsonErr != nil {
		t.Fatalf("golangci-lint gave no report (%v, %v):\n%s\n%s", err, jsonErr, stdout, stderr.String())
	}
	found := map[string][]string{}
	for _, issue := range report.Issues {
		file := filepath.ToSlash(issue.Pos.Filename)
		found[file] = append(found[file], issue.FromLinter+": "+issue.Text)
	}
	return found
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
