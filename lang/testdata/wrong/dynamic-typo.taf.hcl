index "data" {
  source = "dir:data"
  layout = "telemetry"
}

filter "all" {
  dynamic "wher" {
    for_each = ["a"]
    content {
      reason = "a"
    }
  }
}

map "by_os" {
  input = filter.all
  code  = "mapper.py"
}

reduce "total" {
  input = map.by_os
  code  = "reducer.py"
}

output "os" {
  value = reduce.total
}
