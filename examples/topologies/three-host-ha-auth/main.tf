# The three-host topology with authentication on: one token, in three places.

variable "root_token" {
  description = "Token of the user root, at least 10 characters. Give it as TF_VAR_root_token; ephemeral values are in no state or plan."
  type        = string
  sensitive   = true
  ephemeral   = true
}

# Terraform cannot see that a write-only value has changed: this says so.
variable "root_token_version" {
  description = "To be raised with every new root token. Containers are then replaced, one after the other."
  type        = number
  default     = 1
}

provider "anka" {
  hosts = var.hosts

  # For asking controllers and registries. The data source below needs it.
  anka_auth = { root_token = var.root_token }
}

locals {
  hosts = sort(keys(var.hosts))
}

resource "anka_etcd_cluster" "this" {
  name    = "anka"
  image   = var.images.etcd
  members = { for i, host in local.hosts : "etcd-${i + 1}" => { host = host } }
}

# What is pushed to the primary is copied to the others, so that nodes find it on
# every host. Where all hosts mount one network volume, leave replication out, and
# add shared = true to storage.
resource "anka_registry" "this" {
  image    = var.images.registry
  replicas = { for host in local.hosts : host => {} }
  primary  = local.hosts[0]
  storage  = { path = "/opt/registry-storage", create_path = true } # on a data disk: a directory of it, without create_path

  replication = { interval = 30, image = var.images.replication }

  root_token_wo         = var.root_token
  root_token_wo_version = var.root_token_version
}

resource "anka_controller" "this" {
  image             = var.images.controller
  replicas          = { for host in local.hosts : host => {} }
  etcd_endpoints    = anka_etcd_cluster.this.endpoints
  registry_urls     = anka_registry.this.urls
  push_registry_url = anka_registry.this.primary_url

  root_token_wo         = var.root_token
  root_token_wo_version = var.root_token_version
}

data "anka_controller_status" "this" {
  for_each = anka_controller.this.urls

  host              = each.key
  url               = each.value
  allow_unreachable = true
}

check "controllers" {
  assert {
    condition     = alltrue([for status in data.anka_controller_status.this : status.ready && status.registry_status == "Running"])
    error_message = "Not all controllers are ready and reach their registry."
  }
}

output "controllers" {
  description = "What each controller says of itself."
  value       = { for host, status in data.anka_controller_status.this : host => status.status }
}
