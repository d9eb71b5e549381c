resource "anka_controller" "this" {
  # Keyed by host.
  replicas = { h1 = {}, h2 = {}, h3 = {} }

  etcd_endpoints    = anka_etcd_cluster.this.endpoints
  registry_urls     = anka_registry.this.urls
  push_registry_url = anka_registry.this.primary_url
}

# For: sudo ankacluster join http://10.0.1.4,http://10.0.1.5,http://10.0.1.6
output "join_urls" {
  value = anka_controller.this.join_urls
}
