# The mapping benchmark: how many bytes the records of each task have, by a program that does next to nothing.

index "telemetry" {
  source = "dir:telemetry"
  layout = "telemetry"
}

filter "all" {
  index = index.telemetry
}

map "bytes" {
  input   = filter.all
  command = ["wc", "-c"]
}

output "bytes" {
  value = map.bytes
  to    = "result.txt"
}
