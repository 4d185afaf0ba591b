# The only filter is several: what needs one has to say which.
index "telemetry" {
  source = "dir:data"
  layout = "telemetry"
}

filter "sessions" {
  for_each = ["nightly", "beta"]
  where {
    appUpdateChannel = each.value
  }
}

map "by_os" { # ERROR: Reference needed
  code = "mapper.py"
}

output "o" {
  value = map.by_os
}
