data "anka_registry_status" "this" {
  # Has it read when the registries are there.
  urls = anka_registry.this.urls
}

locals {
  registries = data.anka_registry_status.this.replicas

  # A lag of -1 is one that is not known.
  late = [
    for host, r in local.registries : "${host}: ${r.replication.last_error}"
    if !r.replication.in_sync && (r.replication.lag_seconds < 0 || r.replication.lag_seconds > 15 * 60)
  ]
}

# A failing check warns and never stops a plan or an apply.
check "registries" {
  assert {
    condition     = data.anka_registry_status.this.all_reachable
    error_message = "Not all registries answer: ${join(" ", [for host, r in local.registries : r.error])}"
  }

  assert {
    condition     = length(local.late) == 0
    error_message = "Templates are not known to have reached all registries within 15 minutes. ${join(" ", local.late)}"
  }

  assert {
    condition     = alltrue([for r in local.registries : r.bytes_free >= 0.2 * r.bytes_total if r.bytes_total > 0])
    error_message = "Less than 20 % of the disk of a registry is free."
  }

  # What was pushed to the wrong registry is on no other.
  assert {
    condition     = alltrue([for r in local.registries : r.replication.ahead_count == 0])
    error_message = "Registries hold what the primary does not: ${join(" ", flatten([for r in local.registries : r.replication.ahead]))}"
  }

  # Replication waits for a person who allows so many deletions.
  assert {
    condition     = alltrue([for r in local.registries : r.replication.blocked_deletion == ""])
    error_message = "Replication stopped before deleting more than max_delete_percent."
  }
}
