# Run this on every node. It tries the controllers in this order.
output "join" {
  value = provider::anka::join_command(anka_controller.this.join_urls, {
    groups        = ["iOS builds"]
    reserve_space = "10GB"

    # Files on the node: no secret is part of the command.
    cacert       = "/etc/anka/ca.pem"
    api_key_id   = "nodes"
    api_key_file = "/etc/anka/nodes.pem"
  })
}
