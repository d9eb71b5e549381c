data "anka_controller_status" "all" {
  for_each = anka_controller.this.urls

  # The URL is reached over the connection to this host.
  host = each.key
  url  = each.value
}

# A failing check warns and never stops an apply.
check "controllers" {
  data "anka_controller_status" "h1" {
    url               = anka_controller.this.urls["h1"]
    host              = "h1"
    allow_unreachable = true
  }

  assert {
    condition     = data.anka_controller_status.h1.ready
    error_message = "The controller on h1 is not ready."
  }
}
