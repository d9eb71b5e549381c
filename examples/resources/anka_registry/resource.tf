resource "anka_registry" "this" {
  # Keyed by host.
  replicas = { h1 = {}, h2 = {}, h3 = {} }

  # Templates are pushed to this one.
  primary = "h1"

  # Where each host has mounted its data disk.
  storage = { path = "/opt/registry-storage" }

  # The others copy what was pushed, every half minute. Without this each has
  # only what is pushed to it.
  replication = { interval = 30 }

  logging = {
    access_logs = true
    max_size    = "1GB"
  }
}
