package topology

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/secureetcd"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/tfcli"
)

func TestMain(m *testing.M) { testlab.Main(m) }

// TestAccTopology_keepsSecrets applies the topology with authentication on,
// rotates the secrets, lets an apply and a login fail, and looks for every
// secret in state, saved plan, what terraform and the provider printed and
// traced, labels, and container logs.
func TestAccTopology_keepsSecrets(t *testing.T) {
	target := testlab.ForTest(t)
	if target.Lab == nil {
		t.Fatalf("this test reads labels and logs on the hosts and runs on the lab only: unset %s and run as root", testlab.EnvHosts)
	}
	w := workspace(t)
	var addresses []string
	for _, host := range target.Lab.Hosts {
		addresses = append(addresses, host.Address)
	}
	etcd := secureetcd.Start(t, target.Lab.Host("h1"), "canary-of-etcd-77f0")
	given, secrets := everySecret(t, etcd, addresses)
	hosts := inlineHosts(t, target.Lab, secrets)
	must(t, w.Write("main.tf", secretive))
	trace := filepath.Join(w.Dir, "trace.log")
	w.Env = []string{
		"TF_LOG=trace", "TF_LOG_PATH=" + trace, "TF_VAR_hosts=" + hosts,
		"TF_VAR_given=" + encode(t, given), "TF_VAR_token=" + rootToken, "TF_VAR_etcd_endpoint=" + etcd.Endpoint,
		"TF_VAR_images=" + encode(t, map[string]string{"etcd": target.EtcdImage, "controller": target.ControllerImage, "registry": target.RegistryImage}),
	}
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	defer cancel()
	var printed strings.Builder
	run := func(arguments ...string) {
		t.Helper()
		output, err := w.Run(ctx, arguments...)
		printed.WriteString(output)
		must(t, err)
	}
	run("plan", "-no-color", "-input=false", "-out=saved.plan")
	run("show", "-json", "saved.plan")
	run("apply", "-no-color", "-input=false", "saved.plan")
	expectReady(ctx, t, w)
	containerHas(t, target.Lab, "ANKA_ROOT_TOKEN="+rootToken)
	filesHave(t, target.Lab, given)

	// A rotation rolls everything, and still nothing tells.
	w.Env = append(w.Env, "TF_VAR_secret_version=2", "TF_VAR_token="+rootToken+"-new")
	run("apply", "-no-color", "-input=false", "-auto-approve")
	expectReady(ctx, t, w)
	containerHas(t, target.Lab, "ANKA_ROOT_TOKEN="+rootToken+"-new")
	run("show", "-json")
	if empty, plan, err := w.PlanIsEmpty(ctx); err != nil || !empty {
		t.Errorf("second plan: %v\n%s", err, plan)
	}

	// A change that fails shows the end of a log that has all of them.
	w.Env = append(w.Env, `TF_VAR_misbehave={"ANKASIM_LOG_ENV":"true","ANKASIM_EXIT":"1"}`)
	output, err := w.Apply(ctx)
	printed.WriteString(output)
	if err == nil || !strings.Contains(output, "ANKA_ROOT_TOKEN=(secret)") {
		t.Errorf("an apply that fails has to show the log, without secrets: %v\n%s", err, output)
	}
	w.Env = w.Env[:len(w.Env)-1]
	output, err = w.Run(ctx, "plan", "-no-color", "-input=false", "-var=use_api_key=true")
	printed.WriteString(output)
	if err == nil || !strings.Contains(output, `"nobody"`) {
		t.Errorf("an API key that nobody knows: %v\n%s", err, output)
	}

	places := map[string]string{"output": printed.String(), "labels and logs": labelsAndLogs(t, target.Lab)}
	files, err := filepath.Glob(filepath.Join(w.Dir, "*"))
	must(t, err)
	for _, file := range files {
		places[filepath.Base(file)] = unpacked(t, file)
	}
	for _, needed := range []string{"trace.log", "terraform.tfstate", "saved.plan"} {
		if len(places[needed]) == 0 {
			t.Errorf("%s is missing or empty: nothing can be found in it", needed)
		}
	}
	for place, content := range places {
		for what, secret := range secrets {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte("root:" + secret))} {
				if at := strings.Index(content, form); at >= 0 {
					t.Errorf("the secret %s is in %s: …%q…", what, place, content[max(0, at-200):min(len(content), at+len(form)+50)])
				}
			}
		}
	}
	_, err = w.Destroy(ctx)
	must(t, err)
}

// inlineHosts are the lab's hosts with keys inline, one over ssh and the
// others over TLS. It adds a line of each key to the secrets.
func inlineHosts(t *testing.T, lab *testlab.Lab, secrets map[string]string) string {
	t.Helper()
	overSSH, err := lab.HostConfigs("ssh")
	must(t, err)
	overTLS, err := lab.HostConfigs("tls")
	must(t, err)
	read := func(path string) string {
		content, err := os.ReadFile(path)
		must(t, err)
		return string(content)
	}
	hosts := map[string]testlab.HostConfig{}
	for name, host := range overTLS {
		tls := *host.TLS
		host.TLS = &testlab.TLSConfig{CAPEM: read(tls.CAPath), CertPEM: read(tls.CertPath), KeyPEM: read(tls.KeyPath)}
		secrets["TLS key"] = middle(host.TLS.KeyPEM)
		hosts[name] = host
	}
	first := overSSH["h1"]
	first.SSH = &testlab.SSHConfig{PrivateKey: read(first.SSH.PrivateKeyPath), KnownHosts: read(first.SSH.KnownHostsPath)}
	secrets["ssh key"] = middle(first.SSH.PrivateKey)
	hosts["h1"] = first
	return encode(t, hosts)
}

// middle is a line from the middle of a PEM text: the first and last ones are
// the same in many keys.
func middle(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)/2]
}

// expectReady reads the statuses of all controllers from the state.
func expectReady(ctx context.Context, t *testing.T, w *tfcli.Workspace) {
	t.Helper()
	statuses := map[string]string{}
	must(t, w.Output(ctx, "statuses", &statuses))
	for _, host := range []string{"h1", "h2", "h3"} {
		if statuses[host] != "Running Running true" {
			t.Errorf("controller on %s: %q", host, statuses[host])
		}
	}
}

// containerHas checks that the secret has arrived where it is needed: without
// that, not finding it elsewhere would prove nothing.
func containerHas(t *testing.T, lab *testlab.Lab, variable string) {
	t.Helper()
	for _, role := range []string{"controller", "registry"} {
		env := docker(t, lab, "h2", "inspect", "-f", "{{range .Config.Env}}{{println .}}{{end}}", "anka-canary-"+role+"-h2")
		if !strings.Contains(env+"\n", variable+"\n") {
			t.Errorf("the %s on h2 was not given %s", role, strings.SplitN(variable, "=", 2)[0])
		}
	}
}

// labelsAndLogs is everything that containers and volumes on all hosts tell
// besides their environment.
func labelsAndLogs(t *testing.T, lab *testlab.Lab) string {
	t.Helper()
	var all strings.Builder
	for _, host := range lab.Hosts {
		for _, id := range strings.Fields(docker(t, lab, host.Name, "ps", "-aq")) {
			all.WriteString(docker(t, lab, host.Name, "inspect", "-f", "{{json .Config.Labels}} {{json .Config.Cmd}} {{json .HostConfig}}", id))
			// Services log to both streams.
			logs, err := host.Run(t.Context(), "docker logs "+id+" 2>&1")
			must(t, err)
			if logs == "" {
				t.Errorf("container %s on %s has logged nothing: nothing can be found in it", id, host.Name)
			}
			all.WriteString(logs)
		}
		for _, name := range strings.Fields(docker(t, lab, host.Name, "volume", "ls", "-q")) {
			all.WriteString(docker(t, lab, host.Name, "volume", "inspect", name))
		}
	}
	return all.String()
}
