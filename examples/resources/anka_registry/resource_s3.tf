variable "registry_secret_access_key" {
  type      = string
  sensitive = true
  ephemeral = true
}

# One bucket for all registries.
resource "anka_registry" "s3" {
  name     = "s3"
  replicas = { h1 = {}, h2 = {}, h3 = {} }
  primary  = "h1"

  storage = {
    s3 = {
      bucket                       = "anka-templates"
      endpoint                     = "https://minio.example.com:9000" # not for Amazon's own
      region                       = "eu-central-1"
      path_style                   = true
      access_key_id                = "anka"
      secret_access_key_wo         = var.registry_secret_access_key
      secret_access_key_wo_version = 1 # raise it with every new key
    }
  }
}
