data "anka_controller_status" "all" {
  for_each = anka_controller.this.urls

  # The URL is reached over the connection to this host.
  host = each.key
  url  = each.value

  # Without this, nothing can be planned while one of the hosts is down.
  allow_unreachable = true
}

# A failing check warns and never stops a plan or an apply.
check "controllers" {
  assert {
    condition     = alltrue([for status in data.anka_controller_status.all : status.ready])
    error_message = "Not all controllers are ready: ${join(" ", [for status in data.anka_controller_status.all : status.error])}"
  }
}

# What comes next needs a controller that works: the apply waits here for it.
# Every later plan asks, too, and is an error while h1 is down, so leave this out
# where nothing depends on it.
data "anka_controller_status" "first" {
  host = "h1"
  url  = anka_controller.this.urls["h1"]

  wait_for = {
    ready            = true
    registry_running = true
    timeout          = "2m"
  }
}
