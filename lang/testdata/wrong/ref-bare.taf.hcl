index "data" {
  source = "dir:data"
  layout = "telemetry"
}

filter "all" {
  where {
    appName = "Firefox"
  }
}

map "by_os" {
  code = "mapper.py"
}

reduce "total" {
  input = map.by_os
  code  = "reducer.py"
}

output "os" {
  value = total
}

