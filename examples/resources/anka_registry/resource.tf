resource "anka_registry" "this" {
  # Keyed by host.
  replicas = { h1 = {}, h2 = {}, h3 = {} }

  # Templates are pushed to this one.
  primary = "h1"

  # A directory on each host's data disk, not the mount point, which is there
  # without the disk, too.
  storage = { path = "/mnt/disk/registry" }

  # The others copy what was pushed, every half minute. Without this each has
  # only what is pushed to it.
  replication = { interval = 30 }

  logging = {
    access_logs = true
    max_size    = "1GB"
  }
}
