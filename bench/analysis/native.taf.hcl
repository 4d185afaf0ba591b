# The mapping benchmark: the count without user code.

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
  input    = filter.all
  count_by = ["info.OS", "info.appVersion"]
}

reduce "total" {
  input = map.by_version
}

output "count" {
  value = reduce.total
  to    = "result.txt"
}
