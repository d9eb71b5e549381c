output "etcd_endpoints" {
  description = "The client URLs of the etcd members."
  value       = anka_etcd_cluster.this.endpoints
}

output "etcd_members" {
  description = "The IDs of the etcd members by name."
  value       = { for name, member in anka_etcd_cluster.this.members : name => member.id }
}

output "registry_urls" {
  description = "The registries by host; the primary receives all pushes."
  value       = anka_registry.this.urls
}

output "push_registry_url" {
  description = "The registry that templates are pushed to."
  value       = anka_registry.this.primary_url
}

output "controllers" {
  description = "What each controller says of itself."
  value = {
    for host, controller in data.anka_controller_status.this : host => {
      url              = controller.url
      version          = controller.version
      status           = controller.status
      ready            = controller.ready
      registry_address = controller.registry_address
      registry_status  = controller.registry_status
    }
  }
}

output "join" {
  description = "To be run on every Anka node."
  value       = "sudo ankacluster join ${join(",", anka_controller.this.join_urls)}"
}
