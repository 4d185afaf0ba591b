index "data" {
  source = "dir:data"
  layout = "telemetry"
}

filter "all" {
  where {
    submission_date = between("20140301", "20140302"
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

