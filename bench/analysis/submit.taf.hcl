# The submission benchmark: each of 78 days of 110,000 files becomes 128 tasks of about 10 files or more, below a tree of reduces.

index "telemetry" {
  source = "sqlite:index.db"
}

filter "all" {
  index = index.telemetry
}

batch {
  max_files = 15
  max_size  = "1GiB"
}

map "by_version" {
  input = filter.all
  code  = "count.py"
}

reduce "total" {
  input = map.by_version
  code  = "count.py"
}

output "count" {
  value = reduce.total
}
