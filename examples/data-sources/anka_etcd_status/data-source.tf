data "anka_etcd_status" "this" {
  # Members are asked over the connections to their hosts.
  members = anka_etcd_cluster.this.members
}

# A failing check warns and never stops an apply.
check "etcd" {
  assert {
    condition     = data.anka_etcd_status.this.healthy
    error_message = "etcd is degraded: ${data.anka_etcd_status.this.degraded_reason}."
  }

  assert {
    condition     = data.anka_etcd_status.this.margin >= 1
    error_message = "etcd stops when one more member is lost."
  }

  # At the quota etcd takes no more writes. Before that, compact and defragment
  # the members, one at a time, the leader last.
  assert {
    condition = alltrue([
      for m in data.anka_etcd_status.this.member_status : m.db_size < 0.8 * anka_etcd_cluster.this.quota_backend_bytes
    ])
    error_message = "The database of an etcd member has reached 80 % of its quota."
  }
}
