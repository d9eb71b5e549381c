# One registry without controllers and etcd: Anka's command line pushes templates
# to it and pulls them from it.

variable "host" {
  description = "The Docker host: its address for clients, and how to reach its Docker daemon."
  type = object({
    address     = string
    docker_host = string
    tls         = optional(object({ ca_path = string, cert_path = string, key_path = string }))
    insecure    = optional(bool)
    ssh = optional(object({
      user             = optional(string)
      private_key      = optional(string)
      private_key_path = optional(string)
      host_key         = optional(string)
      known_hosts_path = optional(string)
    }))
  })
}

variable "storage_path" {
  description = "A directory on the host's data disk, not the mount point. It has to be there."
  type        = string
  default     = "/opt/registry-storage"
}

variable "image" {
  description = "Another image than the vendor's."
  type        = string
  default     = null
}

provider "anka" {
  hosts = { registry = var.host }
}

resource "anka_registry" "this" {
  name     = "standalone"
  image    = var.image
  replicas = { registry = {} } # the only one is the primary
  storage  = { path = var.storage_path }
}

output "add" {
  description = "Makes the registry known to Anka on a Mac; then: anka registry push, anka registry pull."
  value       = "anka registry add standalone ${anka_registry.this.primary_url}"
}
