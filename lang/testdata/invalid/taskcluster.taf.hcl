# What Taskcluster and notifications demand.
analysis { # ERROR: Missing argument
  owner         = "me" # ERROR: Bad value
  requires_tafc = 1.2  # ERROR: Wrong type of value
}

index { source = "dir:data" }
filter {}

variable "token" {
  default   = "x"
  sensitive = true
}

map "m" { # ERROR: Nothing to refer to
  command      = "true"
  max_run_time = "2d" # ERROR: Value out of range
  env = { A = var.token } # ERROR: Sensitive value
}

output "o" { value = map.m }

engine "taskcluster" {
  root_url         = "tc.example.org"       # ERROR: Bad value
  queue            = "proj-taf/CI"          # ERROR: Bad value
  payload          = "docker"               # ERROR: Unknown payload
  priority         = "urgent"               # ERROR: Unknown priority
  scheduler        = "a b"                  # ERROR: Bad value
  project          = "a:b"                  # ERROR: Bad value
  index_prefix     = "project/taf"          # ERROR: Bad value
  expires          = "1h"                   # ERROR: Value out of range
  scopes           = ["queue:**"]           # ERROR: Bad value
  routes           = ["a", "a"]             # ERROR: Duplicate name
  max_dependencies = 20000                  # ERROR: Value out of range
  workers          = 3                      # ERROR: Misplaced setting
  tags             = { team = ["x"] }       # ERROR: Wrong type of value
}

notify {
  email  = ["telemetry@example.org", "@you"] # ERROR: Bad value
  slack  = "#channel"                        # ERROR: Bad value
  matrix = "#room:example.org"               # ERROR: Bad value
  on     = ["done", "fail"]                  # ERROR: Unknown word
}

notify { # ERROR: Missing argument
  on = "failed"
}
