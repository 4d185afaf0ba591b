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
  input = reduce.other
  code = "r.py"
}
reduce "other" {
  input = reduce.total
  code = "r.py"
}

output "os" {
  value = reduce.total
}

