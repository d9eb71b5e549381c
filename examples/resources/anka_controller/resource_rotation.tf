# A certificate that something else renews, such as file("controller.pem") of
# the caller: the version follows the content, so the next apply after a renewal gives it to one controller after
# the other. This is for certificates only, which everybody may see; a version
# that is computed from a secret would tell something of it.

variable "controller_certificate" {
  description = "Certificate of the controllers, as PEM text."
  type        = string
}

variable "controller_key" {
  description = "Its private key: PKCS#8 without a password."
  type        = string
  sensitive   = true
  ephemeral   = true
}

resource "anka_controller" "renewed" {
  name           = "renewed"
  replicas       = { h1 = {}, h2 = {}, h3 = {} }
  port           = 443
  etcd_endpoints = anka_etcd_cluster.this.endpoints
  registry_urls  = anka_registry.this.urls

  https = {
    server_cert_wo         = var.controller_certificate
    server_key_wo          = var.controller_key
    server_cert_wo_version = parseint(substr(sha256(var.controller_certificate), 0, 12), 16)
  }
}
