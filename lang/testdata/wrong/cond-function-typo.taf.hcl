index "data" {
  source = "dir:data"
  layout = "telemetry"
}

filter "all" {
  where {
    submission_date = betwen("20140301", "20140309")
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
  value = reduce.total
}

