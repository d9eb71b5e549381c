# One export of a file server for all registries: nothing has to be copied.
resource "anka_registry" "nfs" {
  name     = "nfs"
  replicas = { h1 = {}, h2 = {}, h3 = {} }
  primary  = "h1"

  storage = {
    nfs = {
      server  = "10.0.1.20"
      path    = "/srv/anka"
      options = ["nfsvers=4.1", "hard", "noatime"]
    }
    shared = true
  }
}
