terraform {
  required_providers {
    anka = {
      source = "anka-ha/anka"
    }
  }
}

provider "anka" {
  # Any number of hosts. They are dialled on first use, once each.
  hosts = {
    h1 = { address = "10.0.1.4", docker_host = "ssh://ops@10.0.1.4" }
    h2 = { address = "10.0.1.5", docker_host = "ssh://ops@10.0.1.5:2222" }
    h3 = {
      address     = "10.0.1.6"
      docker_host = "tcp://10.0.1.6:2376"
      tls = {
        ca_path   = "~/.docker/ca.pem"
        cert_path = "~/.docker/cert.pem"
        key_path  = "~/.docker/key.pem"
      }
    }
  }

  # Holds for every ssh host that does not say otherwise.
  ssh = {
    private_key_path = "~/.ssh/id_ed25519"
    known_hosts_path = "~/.ssh/known_hosts"
  }
}
