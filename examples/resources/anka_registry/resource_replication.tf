# Containers beside the registries copy what is pushed to the primary to the
# others, also when Terraform does not run.
resource "anka_registry" "replicated" {
  name     = "replicated"
  replicas = { h1 = {}, h2 = { storage_path = "/data/registry" }, h3 = {} }
  primary  = "h1"
  storage  = { path = "/mnt/disk/registry" }

  replication = {
    interval        = 10       # seconds between two passes
    bandwidth_limit = 50000000 # bytes per second of each follower
  }
}
