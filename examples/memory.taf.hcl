# How much memory the computers of each operating system have, without a line of code: ready-made operations count, sum and
# estimate at the speed of decompression.
#
#   tafc run examples/memory.taf.hcl     the result is in examples/results/memory.txt

index "telemetry" {
  source = "dir:../testdata/telemetry"
  layout = "telemetry"
}

filter "firefox" {
  where {
    appName = "Firefox"
  }
}

# How many sessions of each system have less than 2 GiB, from 2 to 4, from 4 to 8, and more. Sessions that started in less than
# a second are not meant.
map "memory" {
  where = {
    "simpleMeasurements.firstPaint" = atleast(1000)
    "info.OS"                       = ["WINNT", "Darwin", "Linux"]
  }
  histogram = {
    field   = "info.memsize"
    buckets = [0, 2048, 4096, 8192]
    by      = "info.OS"
  }
}

# Each task of the map counts its own files; this puts the counts together.
reduce "memory" {
  input = map.memory
}

output "memory" {
  value = reduce.memory
  to    = "results/memory.txt"
}
