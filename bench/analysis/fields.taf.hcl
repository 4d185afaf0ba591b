# The mapping benchmark: the count in Python, which is given only two fields of each record.

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
  input  = filter.all
  code   = "count.py"
  fields = ["info.OS", "info.appVersion"]
}

reduce "total" {
  input = map.by_version
  code  = "count.py"
}

output "count" {
  value = reduce.total
  to    = "result.txt"
}
