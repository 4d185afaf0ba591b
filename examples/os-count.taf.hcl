# How many saved sessions of the nightly channel came from which operating system.
#
#   tafc plan examples/os-count.taf.hcl     what would run, and why
#   tafc run  examples/os-count.taf.hcl     run it; the result is in examples/results/os-count.txt

analysis "os-count" {
  description = "Saved sessions per operating system"
}

variable "channel" {
  type        = string
  default     = "nightly"
  description = "Another one with -var channel=beta"
}

# Which files there are. The layout says what the parts of their names mean.
index "telemetry" {
  source = "dir:../testdata/telemetry"
  layout = "telemetry"
}

# Which of them are read. "saved-session" finds files named saved_session: both are compared the way names are written.
filter "sessions" {
  where {
    reason           = "saved-session"
    appName          = "Firefox"
    appUpdateChannel = var.channel
    submission_date  = between("20140303", "20140308")
  }
}

# The files of a day are split into tasks of at most two, so that one new file reruns only one small task.
batch {
  max_files = 2
}

map "by_os" {
  input = filter.sessions
  code  = "os-count/mapper.py"
}

reduce "total" {
  input = map.by_os
  code  = "os-count/reducer.py"
}

output "os_count" {
  value  = reduce.total
  format = "text"
  to     = "results/os-count.txt"
}
