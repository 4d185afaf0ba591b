# Blocks, arguments and labels that the language does not have.
anlysis "x" {}   # ERROR: Unknown block
workers = 3      # ERROR: Unknown argument
batch = 3        # ERROR: Unknown argument

index { # ERROR: Missing argument
  layout = "telemetry"
}

filter {
  where = { reason = "main" }  # ERROR: Unknown argument
  index {}                     # ERROR: Unknown block
  submission_date = "20140308" # ERROR: Unknown argument
}

filter "all" "files" {} # ERROR: Superfluous block label

map {                 # ERROR: Missing block label
  code = "mapper.py"
  cod  = "mapper.py"  # ERROR: Unknown argument
}

map "by os" { # ERROR: Bad name
  code = "mapper.py"
}

map "m" {
  input      = filter.default
  code       = "mapper.py"
  max_files  = 10   # ERROR: Unknown argument
  partitions = 2    # ERROR: Misplaced setting
  tolerate {}
  tolerate {}       # ERROR: Duplicate block
}

reduce "r" {        # ERROR: Missing argument
  code   = "reducer.py"
  format = "lines"  # ERROR: Misplaced setting
  batch {}          # ERROR: Misplaced setting
}

output "o" {
  value = reduce.r
}

output "p" {
  value = map["by os"]
}

engine "mesos" {} # ERROR: Unknown engine
batch {}
batch {}          # ERROR: Duplicate block
