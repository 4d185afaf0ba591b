# The same question as os-count, answered in JavaScript: one file holds the map and the reduce.

analysis "os-count-js" {
  description = "Saved sessions per operating system, in JavaScript"
}

index "telemetry" {
  source = "dir:../testdata/telemetry"
  layout = "telemetry"
}

filter "sessions" {
  where {
    reason           = "saved-session"
    appName          = "Firefox"
    appUpdateChannel = "nightly"
    submission_date  = between("20140303", "20140308")
  }
}

batch {
  max_files = 4
}

# count.js loads ./field.js, so that is shipped with it, and a change of either runs the tasks again.
map "by_os" {
  input = filter.sessions
  code  = "os-count-js/count.js"
}

reduce "total" {
  input = map.by_os
  code  = "os-count-js/count.js"
}

output "os_count" {
  value = reduce.total
  to    = "results/os-count-js.txt"
}

# tafc test examples/os-count-js.taf.hcl gives the code these records; objects are written as JSON and get an id.
test "sessions are counted by their operating system" {
  stage = reduce.total
  records = [
    { info = { OS = "WINNT" } },
    { info = { OS = "Linux" } },
    { info = { OS = "WINNT" } },
  ]
  expect = {
    Linux = 1
    WINNT = 2
  }
}
