# By the name of the cluster, from the hosts of the provider block. A quorum of
# its members has to answer. purge_data_on_destroy, snapshot_before_change and
# timeouts do not come back: the next plan sets them.
# Controllers come first where a for_each goes over their urls, which Terraform
# has to know before it imports anything.
terraform import anka_etcd_cluster.this anka
