# By name, from the labels of the containers on the hosts of the provider block.
# Every attribute but the write-only ones comes back as it was when the newest of
# the containers was made. The next plan is empty, but for attributes that change
# no container, if they have changed since: ready_timeout, timeouts,
# purge_data_on_destroy, replication.seeded and, without replication, primary.
# Applying that plan touches no host. accept_data_loss does not come back: it holds
# for one apply.
# Controllers come first where a for_each goes over their urls, which Terraform
# has to know before it imports anything.
terraform import anka_registry.this anka
