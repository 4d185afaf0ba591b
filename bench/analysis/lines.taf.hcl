# The mapping benchmark: the count by a program that reads standard input.

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
  code     = "lines.py"
  contract = "streaming"
}

reduce "total" {
  input    = map.by_version
  code     = "lines.py"
  contract = "streaming"
}

output "count" {
  value = reduce.total
  to    = "result.txt"
}
