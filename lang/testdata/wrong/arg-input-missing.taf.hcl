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
  code = "r.py"
}

output "os" {
  value = reduce.total
}

