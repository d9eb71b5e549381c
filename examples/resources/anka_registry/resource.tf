resource "anka_registry" "this" {
  # Keyed by host.
  replicas = { h1 = {}, h2 = {}, h3 = {} }

  # Templates are pushed to this one.
  primary = "h1"

  storage = { path = "/opt/registry-storage" }
}
