# The mapping benchmark: counts sessions by operating system and version in Python.

variable "data" {
  default = "telemetry"
}

index "telemetry" {
  source = "dir:${var.data}"
  layout = "telemetry"
}

filter "all" {
  index = index.telemetry
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
  to    = "result.txt"
}
