# The planning benchmark: each of 62 days of 100,000 files becomes 16 tasks of about 100 files, 992 in all, and one reduce.

index "telemetry" {
  source = "sqlite:index.db"
}

filter "all" {
  index = index.telemetry
}

batch {
  max_files = 150
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
