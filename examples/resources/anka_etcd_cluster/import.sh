# By the name of the cluster, from the hosts of the provider block.
# Controllers come first where a for_each goes over their urls, which Terraform
# has to know before it imports anything.
terraform import anka_etcd_cluster.this anka
