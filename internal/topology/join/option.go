// Package join renders the command that joins a node to the controllers. It
// belongs to the layer topology: it decides how the command reads, and runs
// nothing.
//
// The flags are those that `ankacluster join --help` lists in the vendor's
// documentation, and no others:
// https://docs.veertu.com/anka/anka-build-cloud/getting-started/preparing-and-joining-your-nodes/
// (source: https://github.com/veertuinc/anka-docs/blob/main/_partials/anka-virtualization-cli/getting-started/_join-to-cluster.md).
// Several controllers in one argument, separated by commas:
// https://docs.veertu.com/anka/anka-build-cloud/high-availability/node-side-load-balancing/
package join

// kind is the form of an option's value.
type kind int

const (
	flag     kind = iota // true renders the bare flag
	text                 // any text on one line
	names                // names in one argument, separated by commas
	file                 // the absolute path of a file on the node
	count                // a whole number, at least 1
	duration             // Go style: 30s, 5m
	size                 // 10GB
	mode                 // the capacity mode
)

// Option is one that the command can be given.
type Option struct {
	// Name of the option: that of the flag, with underscores.
	Name string
	// Flag with its dashes.
	Flag string
	// Description in Markdown.
	Description string

	kind kind
}

// Options are all options, in the order in which they are rendered.
func Options() []Option {
	return []Option{
		{"name", "--name", "Name of the node. Default: the name of the machine.", text},
		{"node_id", "--node-id", "ID of the node. Default: one of its own.", text},
		{"host", "--host", "Address or name at which CI tools reach the node's VMs, when that is not its own address.", text},
		{"groups", "--groups", "List of names of node groups that the node is added to.", names},
		{"capacity_mode", "--capacity-mode", "`number`: `max_vm_count` decides whether it takes a VM. `resource`: its unused cores and memory do. Default `number`.", mode},
		{"max_vm_count", "--max-vm-count", "How many VMs may run at the same time. Default 2.", count},
		{"vcpu_override", "--vcpu-override", "Limit of virtual CPUs in the capacity mode `resource`.", count},
		{"ram_override", "--ram-override", "Limit of memory in the capacity mode `resource`, in GB.", count},
		{"force_overrides_in_resource_mode", "--force-overrides-in-resource-mode", "Check resources by the CPUs and memory that a request for a VM names. From 1.50.0 on.", flag},
		{"reserve_space", "--reserve-space", "Disk space to keep free when templates are pulled, such as `10GB`. Default: a fifth of the disk.", size},
		{"drain_mode", "--drain-mode", "Join in drain mode, in which the node takes no VMs yet. From 1.41.0 on.", flag},
		{"vm_prefix", "--vm-prefix", "What the names of VMs begin with. Default `mgmtManaged`. From 1.50.0 on.", text},
		{"tls", "--tls", "Use TLS with the cloud.", flag},
		{"skip_tls_verification", "--skip-tls-verification", "Accept any certificate of controllers and registries. Better give `cacert`.", flag},
		{"cacert", "--cacert", "Path of the certificate of the authority that signed those of controllers and registries.", file},
		{"cert", "--cert", "Path of the node's client certificate, with `cert_key`.", file},
		{"cert_key", "--cert-key", "Path of its private key.", file},
		{"keystore", "--keystore", "Path of a keystore with certificate and key that has no password, instead of `cert` and `cert_key`.", file},
		{"api_key_id", "--api-key-id", "ID of the user API key that the node authenticates with, with `api_key_file`.", text},
		{"api_key_file", "--api-key-file", "Path of its private key.", file},
		{"heartbeat", "--heartbeat", "Time between two reports of the node. Default `5s`.", duration},
		{"num_workers", "--num-workers", "How many tasks it works on at the same time. Default 2.", count},
		{"optimization_threshold", "--optimization-threshold", "How often a VM is tried to start before disk space is optimized. Default 5.", count},
		{"enable_vm_monitor", "--enable-vm-monitor", "Watch for VMs that do not respond, and fail them.", flag},
		{"vm_stuck_delay", "--vm-stuck-delay", "Time between two looks at a VM. Default `30s`.", duration},
		{"vm_stuck_timeout", "--vm-stuck-timeout", "How long a VM may not respond. Default `10s`.", duration},
		{"cli_start_timeout", "--cli-start-timeout", "How long the start of a VM may take. Default `1m30s`.", duration},
		{"dial_timeout", "--dial-timeout", "How long opening a connection may take. Default `15s`.", duration},
		{"request_timeout", "--request-timeout", "How long a request may take. Default `1m`.", duration},
		{"tls_handshake_timeout", "--tls-handshake-timeout", "How long a TLS handshake may take. Default `5s`.", duration},
		{"no_central_logging", "--no-central-logging", "Send no logs to the central logging.", flag},
		{"skip_tests", "--skip-tests", "Do not test the connections before the agent starts.", flag},
	}
}

// secrets are flags that take a secret and not a path, and the way out. A
// command with a secret in it is in the state, in logs and in the history of a
// shell.
var secrets = map[string]string{
	"api_key_string": "put the key into a file on the node and give its path as api_key_file",
	"keystore_pass":  "give certificate and key as cert and cert_key, or a keystore without a password",
}
