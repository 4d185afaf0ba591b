# The mapping benchmark: the count in JavaScript.

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
  code  = "count.js"
}

reduce "total" {
  input = map.by_version
  code  = "count.js"
}

output "count" {
  value = reduce.total
  to    = "result.txt"
}
