index "data" {
  source = "dir:data"
  layout = "telemetry"
}

filter "all" {
  where {
    reason = "saved-session"
  }
}

map "by_os" {
  input = filter.all
  code  = "mapper.py"
}

reduce "total" {
  input = filter.all
  code  = "reducer.py"
}

output "os" {
  value = reduce.total
}
