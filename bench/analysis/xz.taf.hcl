# The benchmark of xz and LZMA-alone: counts sessions without a program of the user's, so that decompression is what it costs.

index "telemetry" {
  source = "dir:telemetry-xz/telemetry"
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
  to    = "result-xz.txt"
}
