# Values of the wrong type or out of range.
variable "workers" {
  type    = number
  default = "many" # ERROR: Wrong value of a variable
}

variable "unset" { # ERROR: Variable without value
  type = string
}

variable "type" {
  type = strin # ERROR: Invalid type specification
}

index {
  source = ["dir:data"] # ERROR: Wrong type of value
}

filter {}

batch {
  max_files = 0      # ERROR: Value out of range
  max_size  = "64M"  # ERROR: Bad size
}

retry {
  attempts  = -1          # ERROR: Value out of range
  on        = ["network"] # ERROR: Unknown cause
  delay     = "5 minutes" # ERROR: Bad duration
  download {
    timeout = "-1s" # ERROR: Value out of range
  }
}

tolerate {
  bad_records  = "101%" # ERROR: Value out of range
  bad_files    = 0.5    # ERROR: Value out of range
  failed_tasks = "few"  # ERROR: Bad limit
  min_coverage = 99     # ERROR: Value out of range
}

map "m" {
  code     = ["mapper.py", ""] # ERROR: Empty value
  entry    = ""                # ERROR: Empty value
  fields   = "info.OS"         # ERROR: Wrong type of value
  contract = "hadoop"          # ERROR: Unknown contract
  format   = "json"            # ERROR: Unknown format
  env      = ["A"]             # ERROR: Wrong type of value
  batch {
    max_size = "-1MiB" # ERROR: Value out of range
    group_by = ["a", "a"] # ERROR: Duplicate name
  }
  retry {
    on        = ["exit:0"] # ERROR: Unknown cause
    delay     = "1m"
    max_delay = "10s" # ERROR: Value out of range
  }
  resources {
    memory = 1.5 # ERROR: Value out of range
  }
}

reduce "r" {
  input      = map.m
  code       = "reducer.py"
  partitions = 1.5 # ERROR: Value out of range
  fan_in     = 1   # ERROR: Value out of range
}

output "a" {
  value  = reduce.r
  format = "xml" # ERROR: Unknown format
}

map "small" {
  input   = filter.default
  command = "cat"
  resources {
    memory = "16MiB" # ERROR: Value out of range
  }
}

image "built" {
  name = "built:1"
  build {
    context = "."
  }
}
