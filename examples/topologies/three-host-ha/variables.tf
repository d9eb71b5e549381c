variable "name" {
  description = "Names the deployment: it is part of every container's name."
  type        = string
  default     = "anka"
}

# What this type does not name is dropped without a word. The provider's
# documentation has all attributes of a host.
variable "hosts" {
  description = "The Docker hosts by name: their address for each other, and how to reach their Docker daemon."
  type = map(object({
    address        = string
    docker_host    = string
    service_access = optional(string)
    ssh = optional(object({
      user             = optional(string)
      private_key_path = optional(string)
      known_hosts_path = optional(string)
      host_key         = optional(string)
      jump = optional(object({
        address          = string
        user             = optional(string)
        private_key_path = optional(string)
        known_hosts_path = optional(string)
        host_key         = optional(string)
      }))
    }))
    tls = optional(object({
      ca_path     = optional(string)
      cert_path   = optional(string)
      key_path    = optional(string)
      server_name = optional(string)
    }))
    insecure = optional(bool)
  }))

  validation {
    condition     = length(var.hosts) >= 3
    error_message = "High availability needs three hosts: a cluster of one or two etcd members survives no failure."
  }
}

variable "primary" {
  description = "The host whose registry receives all pushes. The first host by name when null."
  type        = string
  default     = null
}

variable "registry_storage_path" {
  description = "Where each host keeps its templates."
  type        = string
  default     = "/opt/registry-storage"
}

variable "create_registry_storage_path" {
  description = "Whether registry_storage_path is made where it is missing. Set it to false where there is a disk for it, and the path to a directory on that."
  type        = bool
  default     = true
}

variable "images" {
  description = "Images other than the vendor's, for example from a mirror or built on the hosts."
  type = object({
    etcd        = optional(string)
    controller  = optional(string)
    registry    = optional(string)
    replication = optional(string)
  })
  default = {}
}
