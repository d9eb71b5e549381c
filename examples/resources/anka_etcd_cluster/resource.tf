resource "anka_etcd_cluster" "this" {
  name = "anka"

  # The keys are the names of the members and stay with them.
  members = {
    etcd-1 = { host = "h1" }
    etcd-2 = { host = "h2" }
    etcd-3 = { host = "h3" }
  }
}
