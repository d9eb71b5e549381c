terraform {
  required_version = ">= 1.11"

  required_providers {
    anka = {
      source = "anka-ha/anka"
    }
  }
}
