package topology

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/anka-ha/terraform-provider-anka/internal/testlab"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/pki"
	"github.com/anka-ha/terraform-provider-anka/internal/testlab/ankasim/secureetcd"
	"github.com/anka-ha/terraform-provider-anka/internal/topology/controller"
)

// rootToken of the test. It is rotated, so it has a variable of its own.
const rootToken = "canary-root-token-7d1f"

// secretive is the whole topology with every secret that the provider takes,
// in ephemeral variables, so that not even Terraform itself keeps them. The
// controllers use an etcd with TLS and logins, and not that of the resource.
const secretive = `
terraform {
  required_providers {
    anka = { source = "anka-ha/anka" }
  }
}

variable "hosts" {
  type      = any
  ephemeral = true
}

variable "token" {
  type      = string
  ephemeral = true
}

variable "given" {
  type      = map(string)
  ephemeral = true
}

variable "etcd_endpoint" {
  type = string
}

variable "use_api_key" {
  type    = bool
  default = false
}

variable "images" {
  type = map(string)
}

variable "misbehave" {
  type    = map(string)
  default = {}
}

variable "secret_version" {
  type    = number
  default = 1
}

provider "anka" {
  hosts         = var.hosts
  registry_auth = { "registry.example.com" = { username = "ci", password = var.given.pull_password } }
  anka_auth = {
    root_token      = var.use_api_key ? null : var.token
    ca_pem          = var.given.ca
    client_cert_pem = var.use_api_key ? null : var.given.user_cert
    client_key_pem  = var.use_api_key ? null : var.given.user_key
    api_key         = var.use_api_key ? { id = "nobody", key = var.given.api_key } : null
  }
}

locals {
  hosts = ["h1", "h2", "h3"]
}

resource "anka_etcd_cluster" "this" {
  name                  = "canary"
  image                 = var.images.etcd
  members               = { for host in local.hosts : host => { host = host, client_port = 12379, peer_port = 12380 } }
  purge_data_on_destroy = true
}

resource "anka_registry" "this" {
  name                  = "canary"
  image                 = var.images.registry
  replicas              = { for host in local.hosts : host => {} }
  primary               = "h1"
  root_token_wo         = var.token
  root_token_wo_version = var.secret_version
  https = {
    server_cert_wo         = var.given.server_cert
    server_key_wo          = var.given.server_key
    server_cert_wo_version = var.secret_version
  }
  authentication = {
    ca_cert_wo         = var.given.ca
    ca_cert_wo_version = 1
    crl_wo             = var.given.crl
    crl_wo_version     = 1
  }
}

resource "anka_controller" "this" {
  name                  = "canary"
  image                 = var.images.controller
  replicas              = { for host in local.hosts : host => {} }
  port                  = 443
  etcd_endpoints        = [var.etcd_endpoint]
  registry_urls         = anka_registry.this.urls
  root_token_wo         = var.token
  root_token_wo_version = var.secret_version
  env                   = var.misbehave
  env_wo                = { ANKASIM_SECRET = var.given.environment }
  env_wo_version        = var.secret_version
  https = {
    server_cert_wo         = var.given.server_cert
    server_key_wo          = var.given.server_key
    server_cert_wo_version = var.secret_version
    skip_tls_verification  = true
  }
  authentication = {
    ca_cert_wo                    = var.given.ca
    ca_cert_wo_version            = 1
    crl_wo                        = var.given.crl
    crl_wo_version                = 1
    oidc_provider_url             = "https://login.example.com"
    oidc_client_id                = "anka"
    oidc_client_secret_wo         = var.given.oidc_client_secret
    oidc_client_secret_wo_version = var.secret_version
  }
  etcd_client = {
    ca_cert_wo             = var.given.etcd_ca
    ca_cert_wo_version     = 1
    client_cert_wo         = var.given.etcd_cert
    client_key_wo          = var.given.etcd_key
    client_cert_wo_version = 1
    username               = "anka"
    password_wo            = var.given.etcd_password
    password_wo_version    = 1
  }
  queue = {
    address                = ":8100"
    server_cert_wo         = var.given.queue_cert
    server_key_wo          = var.given.queue_key
    server_cert_wo_version = 1
    ca_cert_wo             = var.given.ca
    ca_cert_wo_version     = 1
    crl_wo                 = var.given.crl
    crl_wo_version         = 1
  }
}

data "anka_controller_status" "all" {
  for_each = anka_controller.this.urls
  host     = each.key
  url      = each.value
}

output "statuses" {
  value = { for host, s in data.anka_controller_status.all : host => "${s.status} ${s.registry_status} ${s.ready}" }
}
`

// everySecret is what the variable given has, and of that what must be found
// nowhere: texts as they are, and a line from the middle of PEM texts.
// Certificates are no secrets; they are not to be in state all the same.
func everySecret(t *testing.T, etcd secureetcd.Etcd, addresses []string) (given, secrets map[string]string) {
	t.Helper()
	authority := pki.NewAuthority(t, "web-ca")
	server, queue, user := authority.Issue(t, "server", addresses...), authority.Issue(t, "queue"), authority.Issue(t, "user")
	crl, err := os.ReadFile(authority.Revoke(t, authority.Issue(t, "revoked")))
	must(t, err)
	given = map[string]string{
		"pull_password": "canary-password-91be", "environment": "canary-environment-52ac", "oidc_client_secret": "canary-of-the-client-03c8",
		"etcd_password": etcd.Password, "etcd_ca": etcd.CA, "etcd_cert": etcd.Cert, "etcd_key": etcd.Key,
		"ca": authority.PEM, "crl": string(crl), "server_cert": server.CertPEM, "server_key": server.KeyPEM,
		"queue_cert": queue.CertPEM, "queue_key": queue.KeyPEM, "user_cert": user.CertPEM, "user_key": user.KeyPEM, "api_key": apiKey(t),
	}
	secrets = map[string]string{"root token": rootToken}
	for name, value := range given {
		if secrets[name] = value; strings.HasPrefix(value, "-----BEGIN") {
			secrets[name] = middle(value)
		}
	}
	everyRow(t)
	return given, secrets
}

// apiKey is a private key of the only kind that API keys have.
func apiKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// everyRow: what is write-only in the tables is in the configuration.
func everyRow(t *testing.T) {
	t.Helper()
	_, controllers, _ := strings.Cut(secretive, `resource "anka_controller"`)
	for _, s := range controller.Table {
		if s.WriteOnly() && !strings.Contains(controllers, " "+s.Written()+" ") {
			t.Errorf("the configuration of this test lacks %s: add it", s.Path())
		}
	}
}

// filesHave checks that keys have arrived in the containers that need them.
func filesHave(t *testing.T, lab *testlab.Lab, given map[string]string) {
	t.Helper()
	for name, path := range map[string]string{"server_key": "ANKA_SERVER_KEY", "queue_key": "ANKA_QUEUE_SERVER_KEY", "etcd_key": "ANKA_ETCD_CERT_KEY"} {
		env := docker(t, lab, "h2", "inspect", "-f", "{{range .Config.Env}}{{println .}}{{end}}", "anka-canary-controller-h2")
		_, file, _ := strings.Cut("\n"+env, "\n"+path+"=")
		file, _, _ = strings.Cut(file, "\n")
		if content := docker(t, lab, "h2", "cp", "anka-canary-controller-h2:"+file, "-"); !strings.Contains(content, middle(given[name])) {
			t.Errorf("%s of the controller on h2 is %s, which has not the key that was given", path, file)
		}
	}
}

func encode(t *testing.T, value any) string {
	t.Helper()
	encoded, err := json.Marshal(value)
	must(t, err)
	return string(encoded)
}

// unpacked is the content of a file, and of a saved plan that of all files in
// it, which are compressed.
func unpacked(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return string(content)
	}
	var all strings.Builder
	for _, packed := range archive.File {
		file, err := packed.Open()
		must(t, err)
		_, err = io.Copy(&all, file)
		must(t, err)
		must(t, file.Close())
	}
	return all.String()
}
