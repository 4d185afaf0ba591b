# How often Firefox takes long to paint its first window, per operating system and version.
#
# Two map stages stand one on the other: the first reads all records and keeps one number of each, the second decides what
# is slow. With another SLOW_MS only the second and the reduce run again; no record is read twice.

analysis "slow-startup" {
  description = "Share of slow starts per operating system and version"
}

variable "slow_ms" {
  type        = number
  default     = 3000
  description = "A start is slow from this many milliseconds on"
}

index "telemetry" {
  source = "dir:../testdata/telemetry"
  layout = "telemetry"
}

filter "firefox" {
  where {
    reason  = ["saved-session", "idle-daily"]
    appName = "Firefox"
  }
  exclude {
    appUpdateChannel = "nightly-ux"
  }
}

map "starts" {
  input = filter.firefox
  code  = "slow-startup/starts.py"

  batch {
    max_size = "256KiB"
  }
}

map "judged" {
  input = map.starts
  code  = "slow-startup/judge.py"
  env = {
    SLOW_MS = tostring(var.slow_ms)
  }
}

# Three tasks, each with its share of the keys. The median needs all values of a key in one place, so there is no combine.
reduce "summary" {
  input      = map.judged
  code       = "slow-startup/summary.py"
  partitions = 3
}

output "slow_startup" {
  value = reduce.summary
  to    = "results/slow-startup.txt"
}
