# One etcd member, one registry and one controller on each host.

provider "anka" {
  hosts = var.hosts
}

locals {
  hosts = sort(keys(var.hosts))
}

resource "anka_etcd_cluster" "this" {
  name  = var.name
  image = var.images.etcd

  members = { for i, host in local.hosts : "etcd-${i + 1}" => { host = host } }
}

# What is pushed to the primary is copied to the others, so that nodes find it on
# every host. Where all hosts mount one network volume, leave replication out, and
# add shared = true to storage.
resource "anka_registry" "this" {
  name  = var.name
  image = var.images.registry

  replicas = { for host in local.hosts : host => {} }
  primary  = coalesce(var.primary, local.hosts[0])
  storage  = { path = var.registry_storage_path, create_path = var.create_registry_storage_path }

  replication = { interval = 30, image = var.images.replication }
}

resource "anka_controller" "this" {
  name  = var.name
  image = var.images.controller

  replicas          = { for host in local.hosts : host => {} }
  etcd_endpoints    = anka_etcd_cluster.this.endpoints
  registry_urls     = anka_registry.this.urls
  push_registry_url = anka_registry.this.primary_url
}

# A controller that is down is data here and not an error, which would keep the
# other hosts from being planned. The check below warns of it.
data "anka_controller_status" "this" {
  for_each = anka_controller.this.urls

  host              = each.key
  url               = each.value
  allow_unreachable = true
}

check "controllers" {
  assert {
    condition = alltrue([for status in data.anka_controller_status.this : status.ready])
    error_message = format("Controllers are not ready: %s.", join("; ", [
      for host, status in data.anka_controller_status.this :
      "${host}: ${coalesce(status.error, status.status, "no status")}" if !status.ready
    ]))
  }
}
