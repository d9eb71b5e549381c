# By the name of the cluster, from the hosts of the provider block.
terraform import anka_etcd_cluster.this anka
