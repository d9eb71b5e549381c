# By name, from the labels of the containers on the hosts of the provider block.
# Every attribute but the write-only ones comes back as it was when the newest of
# the containers was made. The next plan is empty, but for attributes that change
# no container, if they have changed since: ready_timeout, timeouts and
# skip_compatibility_check. Applying that plan touches no host.
# Controllers come first where a for_each goes over their urls, which Terraform
# has to know before it imports anything.
terraform import anka_controller.this anka
