# All controllers know the same nodes, so one is asked.
data "anka_controller_nodes" "all" {
  host = "h1"
  url  = "http://10.0.1.4"

  # Until the first apply there is no controller.
  allow_unreachable = true
}

# A failing check warns and never stops a plan or an apply.
check "nodes" {
  assert {
    condition     = data.anka_controller_nodes.all.active_count >= 2
    error_message = "Fewer than two nodes take new VMs. ${data.anka_controller_nodes.all.error}"
  }

  assert {
    condition = alltrue([
      for node in data.anka_controller_nodes.all.nodes : node.free_disk_space > 0.1 * node.disk_size
    ])
    error_message = "The disk of a node is nearly full."
  }
}

# A failing precondition does stop them: this one lets nothing change on the
# controllers while agents follow the last upgrade or too few nodes work. It is
# open while no controller answers, as before the first apply.
resource "anka_controller" "production" {
  replicas          = { h1 = {}, h2 = {}, h3 = {} }
  etcd_endpoints    = anka_etcd_cluster.this.endpoints
  registry_urls     = anka_registry.this.urls
  push_registry_url = anka_registry.this.primary_url

  lifecycle {
    precondition {
      condition = !data.anka_controller_nodes.all.reachable || (
        data.anka_controller_nodes.all.states["Updating"] == 0 && data.anka_controller_nodes.all.active_count >= 2
      )
      error_message = "Nodes are being updated, or fewer than two are active. Plan again when that is over."
    }
  }
}
