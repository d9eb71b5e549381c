# HTTPS, client certificates, API keys and the root token.

# Ephemeral values are in no state or plan.
variable "controller_tls" {
  description = "PEM texts: the controllers' certificate, valid for all their addresses, its key, and the authority of client certificates."
  type        = object({ certificate = string, key = string, client_authority = string })
  sensitive   = true
  ephemeral   = true
}

variable "root_token" {
  description = "Token of the user root. The registries and anka_auth of the provider block have the same."
  type        = string
  sensitive   = true
  ephemeral   = true
}

resource "anka_controller" "secure" {
  name     = "secure"
  replicas = { h1 = {}, h2 = {}, h3 = {} }
  port     = 443

  etcd_endpoints    = anka_etcd_cluster.this.endpoints
  registry_urls     = anka_registry.this.urls
  push_registry_url = anka_registry.this.primary_url

  https = {
    # They are written into the containers and turn HTTPS on.
    server_cert_wo         = var.controller_tls.certificate
    server_key_wo          = var.controller_tls.key
    server_cert_wo_version = 1 # to be raised with every new certificate
    min_tls_version        = "tls_1.2"
  }

  root_token_wo         = var.root_token
  root_token_wo_version = 1

  authentication = {
    ca_cert_wo          = var.controller_tls.client_authority
    ca_cert_wo_version  = 1
    api_keys            = true
    api_key_session_ttl = "15m"
  }

  logging = {
    verbosity       = 2
    max_size        = "1GB"
    central_logging = true
  }

  monitoring = { enabled = true }

  # The vendor advises 2 CPUs and 4 GB for a controller.
  cpus   = 2
  memory = "4g"
}
